#!/bin/bash
# Takes an aggregated file apart: <file> sections are written out, <script> sections are executed. Words are echoed without
# quotes, so that runs of blanks collapse, as they do on a router.
while getopts 'c:' option; do
    [ "$option" = c ] && config=$OPTARG
done
target=
mode=
while read -r line; do
    case "$line" in
    "<file>" | "<script>" | "<version>") mode=$line; target= ;;
    "</"*) mode= ;;
    *)
        if [ "$mode" = "<script>" ]; then
            $line >> /var/log/cloud.log 2>&1 || echo "execution failed: $line" 1>&2
        elif [ "$mode" = "<file>" ] && [ -z "$target" ]; then
            target=$line
            rm -f "$target"
        elif [ "$mode" = "<file>" ]; then
            echo $line >> "$target"
        fi
        ;;
    esac
done < "$config"
mv "$config" /var/cache/cloud/processed/
