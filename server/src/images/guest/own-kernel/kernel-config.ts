const NOT_SET = "n";

/** Options of a file of kconfig with their values, as they stand there; `n`: it is not set. */
export function optionsOf(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const line of text.split("\n")) {
    const set = /^(CONFIG_\w+)=(.+)$/.exec(line);
    const unset = /^# (CONFIG_\w+) is not set$/.exec(line);
    if (set !== null) options.set(set[1] as string, set[2] as string);
    if (unset !== null) options.set(unset[1] as string, NOT_SET);
  }
  return options;
}

/** What a fragment asks for and the configuration that was made of it does not have: `CONFIG_VMGENID=y (it is n)`. What stands in neither is not set. */
export function untakenOptions(fragment: string, config: string): string[] {
  const made = optionsOf(config);
  return [...optionsOf(fragment)].flatMap(([name, wanted]) => {
    const value = made.get(name) ?? NOT_SET;
    return value === wanted ? [] : [`${name}=${wanted} (it is ${value})`];
  });
}
