<?php
[$base, $key, $unknown, $broken] = array_map('getenv', ['BASE', 'KEY', 'UNKNOWN', 'BROKEN']);

/** Returns the text of the error that the call throws. */
function shown(callable $call): string
{
    try {
        $value = $call();
    } catch (Exception $error) {
        return get_class($error) . ': ' . $error->getMessage();
    }
    exit('no error, but ' . json_encode($value));
}

function report(array $said): void
{
    echo json_encode($said), "\n";
}
