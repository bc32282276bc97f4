
# Repos are asked of the hub; everything else is known.
_car_with_repos() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
    case "$prev" in
        --repo|-r|--base|cleanup|retire)
            COMPREPLY=( $(compgen -W "$(car -q hub repos 2>/dev/null)" -- "$cur") )
            ;;
        *) _car "car" "$cur" "$prev" ;;
    esac
}
complete -F _car_with_repos -o nosort -o bashdefault -o default car
