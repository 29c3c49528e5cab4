# SPDX-License-Identifier: MIT
# Completion of the command hotlane in bash. The commands and options are those that the installed command helps with.

_hotlane() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words
    COMPREPLY=()
    for words in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $words == -- ]] && return  # the program and its arguments: files
    done
    if ((COMP_CWORD == 1)); then
        words=$(hotlane --help 2>/dev/null | sed -n '/^Subcommands/,$s/^  \([a-z]\+\) .*/\1/p')
    elif [[ $word == -* ]]; then
        words=$(hotlane "$command" --help 2>/dev/null | grep -o -e '--[a-z][a-z-]*' | sort -u)
    else
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _hotlane hotlane
