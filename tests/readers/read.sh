# Writes what a shell finds in each file of a folder: beside it, as `env -0` prints it.
for file in "$1"/*; do
    (
        set -a
        . "$file"
        exec /usr/bin/env -0
    ) >"$2/${file##*/}"
done
