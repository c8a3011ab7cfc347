import { inQuotes } from "../quoted-for-shell.ts";
import type { Candidates } from "./candidates.ts";

/** Words with what they mean, for `_describe`. */
export function zshScript(candidates: Candidates, program: readonly string[]): string {
  const rows = [...candidates].map(([key, list]) => {
    const words = list.map(({ word, says }) => inQuotes(described(word, says))).join(" ");
    return `    ${inQuotes(key)}) reply=(${words}) ;;`;
  });
  return `#compdef isola
# Completion of isola for zsh, after compinit: eval "$(isola completion zsh)"
_isola_table() {
  reply=()
  case "$1" in
${rows.join("\n")}
    *) return 1 ;;
  esac
}
_isola_names() {
  ${program.map(inQuotes).join(" ")} completion names "$@" 2>/dev/null </dev/null
}
_isola_usual() {
  local -a reply
  if _isola_table "\${1}:usual"; then REPLY="$reply[1]"; else REPLY="$1"; fi
}
${engine}if (( $+functions[compdef] )); then compdef _isola isola; fi
`;
}

// Braces: zsh takes `$at:words` for a modifier.
const engine = String.raw`_isola() {
  local at="" flag="" rest="" word="" cur="$words[CURRENT]" REPLY=""
  local -i place=0 i=2
  local -a reply given list found names
  while (( i < CURRENT )); do
    word="$words[i]"
    (( i++ ))
    if [[ -n $flag ]]; then
      [[ $flag == (--project|--context) ]] && given+=("$flag" "$word")
      flag=""
    elif [[ -n $rest ]]; then
      (( place++ ))
    elif [[ $word == -- ]]; then
      rest=1
    elif [[ $word == --(project|context)=* ]]; then
      given+=("$word")
    elif [[ $word == -* ]]; then
      _isola_usual "$at"
      _isola_table "${"$"}{REPLY}:$word" && flag="$word"
    elif [[ -z $at ]]; then
      at="$word"
    elif _isola_table "${"$"}{at}:words" && names=("${"$"}{(@)reply%%:*}") && (( ${"$"}{names[(Ie)$word]} )); then
      at="$at $word"
    else
      _isola_usual "$at"
      at="$REPLY"
      (( place++ ))
    fi
  done
  _isola_usual "$at"
  if [[ -z $flag && -z $rest && $cur == --*=* ]]; then
    flag="${"$"}{cur%%=*}"
    compset -P '*='
  fi
  if [[ -n $flag ]]; then
    _isola_table "${"$"}{REPLY}:$flag"
    list=("$reply[@]")
  elif [[ -z $rest && $cur == -* ]]; then
    _isola_table "${"$"}{REPLY}:flags"
    list=("$reply[@]")
  else
    _isola_table "${"$"}{REPLY}:$(( place + 1 ))" || _isola_table "${"$"}{at}:*"
    list=("$reply[@]")
    if (( place == 0 )); then
      _isola_table "${"$"}{at}:words"
      list+=("$reply[@]")
    fi
  fi
  for word in "$list[@]"; do
    case "$word" in
      @folder) _files -/ ;;
      @file) _files ;;
      @*) found+=("${"$"}{(@f)$(_isola_names "${"$"}{word#@}" "$given[@]")}") ;;
      *) found+=("$word") ;;
    esac
  done
  found=("${"$"}{(@)found:#}")
  local -a kind
  [[ $cur == -* && -z $flag ]] && kind=(-o)
  (( $#found )) && _describe $kind isola found
  return 0
}
`;

/** `word:what it means`; a colon in the word would end it. */
function described(word: string, says: string): string {
  const name = word.replaceAll(":", String.raw`\:`);
  return says === "" ? name : `${name}:${says.replaceAll("\n", " ")}`;
}
