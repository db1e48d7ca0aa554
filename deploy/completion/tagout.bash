# bash completion for tagoutctl, tagoutd, tagout-watcher and tagout-sim. Verbs and options are those
# that the programs themselves tell of in --help, so that this never lags behind.

# Long options that a program, or a verb of it, tells of.
_tagout_options() {
    "$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

_tagout_verbs() {
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

# Words such as add|remove|list behind a verb.
_tagout_actions() {
    "$1" "$2" --help 2>/dev/null | sed -n "1s/^Usage: [a-z]* $2 \([a-z]*|[a-z|]*\).*/\1/p" | tr '|' ' '
}

# Names of machines in the machines.json beside the configuration $1: the keys of the outer object,
# wherever its lines break.
_tagout_machines() {
    awk '
        {
            for (i = 1; i <= length($0); i++) {
                c = substr($0, i, 1)
                if (inside && c == "\\") i++
                else if (c == "\"") { inside = !inside; if (inside) word = "" }
                else if (inside) word = word c
                else if (c == "{" || c == "[") depth++
                else if (c == "}" || c == "]") depth--
                else if (c == ":" && depth == 1) print word
            }
        }' "$(dirname "$1")/machines.json" 2>/dev/null
}

_tagout() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} file=${TAGOUTCTL_DIRECTORY:-/etc/tagout}/tagout.ini verb='' i words

    COMPREPLY=()
    case $before in
    -c | --config | --*-file | --machines | --users | --scenario | --directory | --output | --esphome)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --by | --reason | --wait | --since | --account-id | --fob | --host)
        return
        ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c | --config) file=${COMP_WORDS[++i]} ;;
        --account | --by) ((i++)) ;;
        -*) ;;
        *) verb=${verb:-${COMP_WORDS[i]}} ;;
        esac
    done
    if [[ ${program##*/} == tagoutctl && $word != -* && $verb == '' ]]; then
        words=$(_tagout_verbs "$program")
    elif [[ $word == -* ]]; then
        words=$(_tagout_options "$program" ${verb:+"$verb"})
    elif [[ $verb == backup || $verb == restore ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    elif [[ $verb == ca ]]; then
        words=show
    elif [[ ${program##*/} == tagoutctl || $before == --machine ]]; then
        words="$(_tagout_actions "$program" "$verb") $(_tagout_machines "$file")"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _tagout tagoutctl tagoutd tagout-watcher tagout-sim
