import type { Candidates } from "./candidates.ts";

/** Words with what they mean behind a tab, which fish itself filters. */
export function fishScript(candidates: Candidates, program: readonly string[]): string {
  const rows = [...candidates].map(([key, list]) => {
    const words = list.map(({ word, says }) => quoted(says === "" ? word : `${word}\t${says}`));
    const print = words.length === 0 ? "true" : `printf '%s\\n' ${words.join(" ")}`;
    return `        case ${quoted(key)}\n            ${print}`;
  });
  return `# Completion of isola for fish: isola completion fish | source
function __isola_table
    switch $argv[1]
${rows.join("\n")}
        case '*'
            return 1
    end
end
function __isola_names
    ${program.map(quoted).join(" ")} completion names $argv 2>/dev/null </dev/null
end
function __isola_usual
    __isola_table "$argv[1]:usual"; or echo $argv[1]
end
${engine}complete -c isola -f -a '(__isola_complete)'
`;
}

const engine = String.raw`function __isola_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    set -l at ''
    set -l place 0
    set -l flag ''
    set -l rest ''
    set -l prefix ''
    set -l given
    for word in $words[2..-1]
        if test -n "$flag"
            if contains -- $flag --project --context
                set -a given $flag $word
            end
            set flag ''
        else if test -n "$rest"
            set place (math $place + 1)
        else if test "$word" = --
            set rest 1
        else if string match -qr -- '^--(project|context)=' $word
            set -a given $word
        else if string match -q -- '-*' $word
            if __isola_table (__isola_usual "$at")":$word" >/dev/null
                set flag $word
            end
        else if test -z "$at"
            set at $word
        else if __isola_table "$at:words" | string match -rq -- '^'(string escape --style=regex -- $word)'(\t|$)'
            set at "$at $word"
        else
            set at (__isola_usual "$at")
            set place (math $place + 1)
        end
    end
    set -l usual (__isola_usual "$at")
    if test -z "$flag$rest"; and string match -qr -- '^--[^=]+=' $cur
        set flag (string split -m1 = -- $cur)[1]
        set prefix "$flag="
    end
    set -l list
    if test -n "$flag"
        set list (__isola_table "$usual:$flag")
    else if test -z "$rest"; and string match -q -- '-*' $cur
        set list (__isola_table "$usual:flags")
    else
        set list (__isola_table "$usual:"(math $place + 1); or __isola_table "$at:*")
        if test $place -eq 0
            set -a list (__isola_table "$at:words")
        end
    end
    for word in $list
        switch $word
            case @folder
                __isola_paths (__fish_complete_directories (string replace -- "$prefix" '' $cur) '')
            case @file
                __isola_paths (__fish_complete_path (string replace -- "$prefix" '' $cur))
            case '@*'
                for name in (__isola_names (string sub -s 2 -- $word) $given)
                    echo $prefix$name
                end
            case '*'
                echo $prefix$word
        end
    end
end
function __isola_paths --no-scope-shadowing
    for path in $argv
        echo $prefix$path
    end
end
`;

/** In single quotes fish takes a backslash before a quote or a backslash as an escape. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;
}
