# bash completion for warren. The program knows what may come next; it is asked.
_warren() {
	local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]} program
	program=$(type -P -- "${COMP_WORDS[0]}") || return 0
	mapfile -t COMPREPLY < <("$program" complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word" 2>/dev/null)
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	return 0
}
# "=" and "@" are parts of a word here.
COMP_WORDBREAKS=${COMP_WORDBREAKS//[=@]/}
complete -F _warren warren
