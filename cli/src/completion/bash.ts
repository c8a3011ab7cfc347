import { inQuotes } from "../quoted-for-shell.ts";
import type { Candidates } from "./candidates.ts";

/** For bash from 3.2 on, which has no tables of its own. */
export function bashScript(candidates: Candidates, program: readonly string[]): string {
  const rows = [...candidates].map(([key, list]) => {
    const words = list.map(({ word }) => inQuotes(word)).join(" ");
    return `    ${inQuotes(key)}) ${words === "" ? "return 0" : `printf '%s\\n' ${words}`} ;;`;
  });
  return `# Completion of isola for bash: eval "$(isola completion bash)"
_isola_table() {
  case "$1" in
${rows.join("\n")}
    *) return 1 ;;
  esac
}
_isola_names() {
  ${program.map(inQuotes).join(" ")} completion names "$@" 2>/dev/null </dev/null
}
_isola_usual() {
  _isola_table "$1:usual" || printf '%s\\n' "$1"
}
${engine}complete -F _isola isola
`;
}

// COMP_WORDS has "=" as a word of its own.
const engine = String.raw`_isola() {
  local at="" place=0 flag="" rest="" i=1 word="" words="" list="" IFS=$' \t\n'
  local cur="${"$"}{COMP_WORDS[COMP_CWORD]}" given=()
  COMPREPLY=()
  while [ "$i" -lt "$COMP_CWORD" ]; do
    word="${"$"}{COMP_WORDS[i]}"
    i=$((i + 1))
    if [ "$word" = "=" ]; then continue; fi
    if [ -n "$flag" ]; then
      case "$flag" in --project | --context) given+=("$flag" "$word") ;; esac
      flag=""
    elif [ -n "$rest" ]; then
      place=$((place + 1))
    elif [ "$word" = "--" ]; then
      rest=1
    elif [ "${"$"}{word#-}" != "$word" ]; then
      if _isola_table "$(_isola_usual "$at"):$word" >/dev/null; then flag="$word"; fi
    elif [ -z "$at" ]; then
      at="$word"
    elif _isola_table "$at:words" | grep -qxF -e "$word"; then
      at="$at $word"
    else
      at="$(_isola_usual "$at")"
      place=$((place + 1))
    fi
  done
  if [ "$cur" = "=" ]; then cur=""; fi
  if [ -n "$flag" ]; then
    list="$(_isola_table "$(_isola_usual "$at"):$flag")"
  elif [ -z "$rest" ] && [ "${"$"}{cur#-}" != "$cur" ]; then
    list="$(_isola_table "$(_isola_usual "$at"):flags")"
  else
    list="$(_isola_table "$(_isola_usual "$at"):$((place + 1))" || _isola_table "$at:*")"
    if [ "$place" -eq 0 ]; then list="$list"$'\n'"$(_isola_table "$at:words")"; fi
  fi
  while IFS= read -r word; do
    case "$word" in
      "") ;;
      @folder) _isola_paths -d "$cur" ;;
      @file) _isola_paths -f "$cur" ;;
      @*) words="$words $(_isola_names "${"$"}{word#@}" ${"$"}{given[@]+"${"$"}{given[@]}"} | tr '\n' ' ')" ;;
      *) words="$words $word" ;;
    esac
  done < <(printf '%s\n' "$list")
  while IFS= read -r word; do
    if [ -n "$word" ]; then COMPREPLY+=("$word"); fi
  done < <(compgen -W "$words" -- "$cur")
}
_isola_paths() {
  local path=""
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$2")
}
`;
