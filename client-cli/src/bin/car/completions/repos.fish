
# Repos are asked of the hub; everything else is known.
complete -c car -l repo -s r -x -a '(car -q hub repos 2>/dev/null)'
complete -c car -n '__fish_seen_subcommand_from cleanup retire' -x -a '(car -q hub repos 2>/dev/null)'
