# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_countersign_global_optspecs
    string join \n h/help
end

function __fish_countersign_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_countersign_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_countersign_using_subcommand
    set -l cmd (__fish_countersign_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c countersign -n "__fish_countersign_needs_command" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "sign" -d 'Sign a request, or a stream of them'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "verify" -d 'Verify a signed request, or a stream of them'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "explain" -d 'Show every step of a verification: what was read, what was signed, both signatures'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "curl" -d 'Make a signed curl command'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "value" -d 'Sign and open values of Django, itsdangerous, Rails, Express, and of our own format'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "link" -d 'Make links that hold for a while, and check them'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "schemes" -d 'The catalogue of schemes'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "lint" -d 'Say what is weak about a scheme or a gateway\'s configuration'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "reason" -d 'Say what a refusal or a finding means, and how to fix it'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "keys" -d 'The keys of a gateway'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "check" -d 'Check a gateway\'s configuration and its schemes'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "serve" -d 'Run the gateway'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "gate" -d 'A gate before any TCP service: who proves to have a key gets through'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "size" -d 'Tell how much memory and disk a replay store takes'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "store" -d 'The store that several gateways share'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "dev" -d 'The whole thing on one screen, with nothing to install'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "man" -d 'Print a manual page'
complete -c countersign -n "__fish_countersign_needs_command" -f -a "generated" -d 'Print every file that is made of this table, as JSON'
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l scheme -d 'The scheme: a name of the catalogue, or a file (with a slash, or the ending .toml)' -r
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l var -d 'A value that the scheme asks for, as in region=us-east-1; may be given several times' -r
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l key-id -d 'The key id that the message carries' -r
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l secret -d 'The secret; others on this machine can read command lines, so prefer --secret-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l secret-file -d 'A file with the secret; a line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l key-file -d 'A file with a private key (which signs and verifies) or a public one (which verifies), as PEM or as a JSON Web Key; or with the 64 hexadecimal digits of an Ed25519 public key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l alg -d 'The one algorithm that the key may be used with, where the scheme leaves it to the key' -r
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l request -d 'The message: a raw HTTP/1.1 message, or with --jsonl one JSON object a line; - is standard input' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l transport -d 'What a raw message was sent over' -r -f -a "http\t'Plain HTTP'
https\t'HTTP over TLS'"
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l peer -d 'The client\'s address, where the scheme signs it' -r
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l answers -d 'The request that the message answers, where the message is a response: a raw HTTP/1.1 message' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l nonce -d 'The nonce, instead of a random one' -r
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l format -d 'How to print the signed message' -r -f -a "http\t'As a raw HTTP/1.1 message'
json\t'As one JSON object'
curl\t'As a curl command'
headers\t'The fields that were added, and nothing else'"
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l jsonl -d 'Read one JSON object a line, answer each with one line'
complete -c countersign -n "__fish_countersign_using_subcommand sign" -l json -d 'The same as --format json'
complete -c countersign -n "__fish_countersign_using_subcommand sign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l scheme -d 'The scheme: a name of the catalogue, or a file (with a slash, or the ending .toml)' -r
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l var -d 'A value that the scheme asks for, as in region=us-east-1; may be given several times' -r
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l key-id -d 'The key id that the message carries' -r
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l secret -d 'The secret; others on this machine can read command lines, so prefer --secret-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l secret-file -d 'A file with the secret; a line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l key-file -d 'A file with a private key (which signs and verifies) or a public one (which verifies), as PEM or as a JSON Web Key; or with the 64 hexadecimal digits of an Ed25519 public key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l alg -d 'The one algorithm that the key may be used with, where the scheme leaves it to the key' -r
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l keys -d 'A TOML file of keys to try: `[[key]]` with `id`, `secret` or `public_key` or `private_key`, `alg`, `not_before`, `not_after`; or JSON Web Keys: a key, a set, or a key directory of Web Bot Auth' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l certificates -d 'A folder of certificates in PEM, for schemes that name the key by one; the scheme\'s `[key] resolver` says how' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l request -d 'The message: a raw HTTP/1.1 message, or with --jsonl one JSON object a line; - is standard input' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l transport -d 'What a raw message was sent over' -r -f -a "http\t'Plain HTTP'
https\t'HTTP over TLS'"
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l peer -d 'The client\'s address, where the scheme signs it' -r
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l answers -d 'The request that the message answers, where the message is a response: a raw HTTP/1.1 message' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l jsonl -d 'Read one JSON object a line, answer each with one line'
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l replay -d 'Remember accepted messages during this run, and refuse one that comes again'
complete -c countersign -n "__fish_countersign_using_subcommand verify" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l scheme -d 'The scheme: a name of the catalogue, or a file (with a slash, or the ending .toml)' -r
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l var -d 'A value that the scheme asks for, as in region=us-east-1; may be given several times' -r
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l key-id -d 'The key id that the message carries' -r
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l secret -d 'The secret; others on this machine can read command lines, so prefer --secret-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l secret-file -d 'A file with the secret; a line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l key-file -d 'A file with a private key (which signs and verifies) or a public one (which verifies), as PEM or as a JSON Web Key; or with the 64 hexadecimal digits of an Ed25519 public key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l alg -d 'The one algorithm that the key may be used with, where the scheme leaves it to the key' -r
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l keys -d 'A TOML file of keys to try: `[[key]]` with `id`, `secret` or `public_key` or `private_key`, `alg`, `not_before`, `not_after`; or JSON Web Keys: a key, a set, or a key directory of Web Bot Auth' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l certificates -d 'A folder of certificates in PEM, for schemes that name the key by one; the scheme\'s `[key] resolver` says how' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l request -d 'The message: a raw HTTP/1.1 message, or with --jsonl one JSON object a line; - is standard input' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l transport -d 'What a raw message was sent over' -r -f -a "http\t'Plain HTTP'
https\t'HTTP over TLS'"
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l peer -d 'The client\'s address, where the scheme signs it' -r
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l answers -d 'The request that the message answers, where the message is a response: a raw HTTP/1.1 message' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l jsonl -d 'Read one JSON object a line, answer each with one line'
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l replay -d 'Remember accepted messages during this run, and refuse one that comes again'
complete -c countersign -n "__fish_countersign_using_subcommand explain" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand curl" -s X -l method -d 'The method; GET, or POST where there is a body' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -s H -l header -d 'A field to send; may be given several times' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -s d -l data -d 'The body; @FILE reads it from a file (@- from standard input). As with curl, a form unless a Content-Type is given' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l scheme -d 'The scheme: a name of the catalogue, or a file (with a slash, or the ending .toml)' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l var -d 'A value that the scheme asks for, as in region=us-east-1; may be given several times' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l key-id -d 'The key id that the message carries' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l secret -d 'The secret; others on this machine can read command lines, so prefer --secret-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l secret-file -d 'A file with the secret; a line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l key-file -d 'A file with a private key (which signs and verifies) or a public one (which verifies), as PEM or as a JSON Web Key; or with the 64 hexadecimal digits of an Ed25519 public key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l alg -d 'The one algorithm that the key may be used with, where the scheme leaves it to the key' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l nonce -d 'The nonce, instead of a random one' -r
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l run -d 'Run the command instead of printing it'
complete -c countersign -n "__fish_countersign_using_subcommand curl" -l json -d 'Print JSON: the command as text and as arguments'
complete -c countersign -n "__fish_countersign_using_subcommand curl" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand value; and not __fish_seen_subcommand_from sign unsign dumps loads" -l input -d 'Where the lines come from; - is standard input' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand value; and not __fish_seen_subcommand_from sign unsign dumps loads" -l jsonl -d 'Read one JSON object a line, each with its operation; answer each with one line'
complete -c countersign -n "__fish_countersign_using_subcommand value; and not __fish_seen_subcommand_from sign unsign dumps loads" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand value; and not __fish_seen_subcommand_from sign unsign dumps loads" -f -a "sign" -d 'Sign a text'
complete -c countersign -n "__fish_countersign_using_subcommand value; and not __fish_seen_subcommand_from sign unsign dumps loads" -f -a "unsign" -d 'Open a signed text: print what was signed, if the signature holds'
complete -c countersign -n "__fish_countersign_using_subcommand value; and not __fish_seen_subcommand_from sign unsign dumps loads" -f -a "dumps" -d 'Sign a JSON value'
complete -c countersign -n "__fish_countersign_using_subcommand value; and not __fish_seen_subcommand_from sign unsign dumps loads" -f -a "loads" -d 'Open a signed JSON value'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l format -d 'The format: django, itsdangerous, flask, rails, express, keygrip or countersign' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l key -d 'A key; several keys the newest first. Others on this machine can read command lines, so prefer --key-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l key-file -d 'A file with a key; several files the newest key first. A line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l salt -d 'The salt; by default that of the framework\'s class. With rails, what the key is derived of `secret_key_base` with' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l sep -d 'What stands before the signature' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l algorithm -d 'The digest, as in sha256' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l key-derivation -d 'How itsdangerous makes the key: concat, django-concat, hmac or none' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l key-digest -d 'With which digest Rails derives the key: sha256 since 7.0, sha1 before' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l url-safe -d 'Whether it can stand in a URL (itsdangerous: true, Rails: false)' -r -f -a "true\t''
false\t''"
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l cookie -d 'The cookie that it is the value of, which is part of the salt (Django) or the purpose (Rails)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l cookie-salt -d 'How Django makes a cookie\'s salt: prefixed (since 2026) or joined; where it is left out both are read' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l purpose -d 'What it is for (Rails, countersign)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l expires-in -d 'For how many seconds what is signed holds (Rails, countersign)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l envelope -d 'How Rails writes purpose and expiry: message (to 7.0) or data (since 7.1)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l signature -d 'The signature, where it lies beside the value (keygrip)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l max-age -d 'How many seconds ago it may have been signed at most' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l timestamp -d 'Take the framework\'s timed class'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l compress -d 'Compress where that is shorter (Django)'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l once -d 'Let it be redeemed once only, by the gateway or an application\'s store (countersign; needs --expires-in)'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from sign" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l format -d 'The format: django, itsdangerous, flask, rails, express, keygrip or countersign' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l key -d 'A key; several keys the newest first. Others on this machine can read command lines, so prefer --key-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l key-file -d 'A file with a key; several files the newest key first. A line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l salt -d 'The salt; by default that of the framework\'s class. With rails, what the key is derived of `secret_key_base` with' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l sep -d 'What stands before the signature' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l algorithm -d 'The digest, as in sha256' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l key-derivation -d 'How itsdangerous makes the key: concat, django-concat, hmac or none' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l key-digest -d 'With which digest Rails derives the key: sha256 since 7.0, sha1 before' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l url-safe -d 'Whether it can stand in a URL (itsdangerous: true, Rails: false)' -r -f -a "true\t''
false\t''"
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l cookie -d 'The cookie that it is the value of, which is part of the salt (Django) or the purpose (Rails)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l cookie-salt -d 'How Django makes a cookie\'s salt: prefixed (since 2026) or joined; where it is left out both are read' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l purpose -d 'What it is for (Rails, countersign)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l expires-in -d 'For how many seconds what is signed holds (Rails, countersign)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l envelope -d 'How Rails writes purpose and expiry: message (to 7.0) or data (since 7.1)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l signature -d 'The signature, where it lies beside the value (keygrip)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l max-age -d 'How many seconds ago it may have been signed at most' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l timestamp -d 'Take the framework\'s timed class'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l compress -d 'Compress where that is shorter (Django)'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l once -d 'Let it be redeemed once only, by the gateway or an application\'s store (countersign; needs --expires-in)'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from unsign" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l format -d 'The format: django, itsdangerous, flask, rails, express, keygrip or countersign' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l key -d 'A key; several keys the newest first. Others on this machine can read command lines, so prefer --key-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l key-file -d 'A file with a key; several files the newest key first. A line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l salt -d 'The salt; by default that of the framework\'s class. With rails, what the key is derived of `secret_key_base` with' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l sep -d 'What stands before the signature' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l algorithm -d 'The digest, as in sha256' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l key-derivation -d 'How itsdangerous makes the key: concat, django-concat, hmac or none' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l key-digest -d 'With which digest Rails derives the key: sha256 since 7.0, sha1 before' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l url-safe -d 'Whether it can stand in a URL (itsdangerous: true, Rails: false)' -r -f -a "true\t''
false\t''"
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l cookie -d 'The cookie that it is the value of, which is part of the salt (Django) or the purpose (Rails)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l cookie-salt -d 'How Django makes a cookie\'s salt: prefixed (since 2026) or joined; where it is left out both are read' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l purpose -d 'What it is for (Rails, countersign)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l expires-in -d 'For how many seconds what is signed holds (Rails, countersign)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l envelope -d 'How Rails writes purpose and expiry: message (to 7.0) or data (since 7.1)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l signature -d 'The signature, where it lies beside the value (keygrip)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l max-age -d 'How many seconds ago it may have been signed at most' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l timestamp -d 'Take the framework\'s timed class'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l compress -d 'Compress where that is shorter (Django)'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l once -d 'Let it be redeemed once only, by the gateway or an application\'s store (countersign; needs --expires-in)'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from dumps" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l format -d 'The format: django, itsdangerous, flask, rails, express, keygrip or countersign' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l key -d 'A key; several keys the newest first. Others on this machine can read command lines, so prefer --key-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l key-file -d 'A file with a key; several files the newest key first. A line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l salt -d 'The salt; by default that of the framework\'s class. With rails, what the key is derived of `secret_key_base` with' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l sep -d 'What stands before the signature' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l algorithm -d 'The digest, as in sha256' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l key-derivation -d 'How itsdangerous makes the key: concat, django-concat, hmac or none' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l key-digest -d 'With which digest Rails derives the key: sha256 since 7.0, sha1 before' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l url-safe -d 'Whether it can stand in a URL (itsdangerous: true, Rails: false)' -r -f -a "true\t''
false\t''"
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l cookie -d 'The cookie that it is the value of, which is part of the salt (Django) or the purpose (Rails)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l cookie-salt -d 'How Django makes a cookie\'s salt: prefixed (since 2026) or joined; where it is left out both are read' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l purpose -d 'What it is for (Rails, countersign)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l expires-in -d 'For how many seconds what is signed holds (Rails, countersign)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l envelope -d 'How Rails writes purpose and expiry: message (to 7.0) or data (since 7.1)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l signature -d 'The signature, where it lies beside the value (keygrip)' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l max-age -d 'How many seconds ago it may have been signed at most' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l timestamp -d 'Take the framework\'s timed class'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l compress -d 'Compress where that is shorter (Django)'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l once -d 'Let it be redeemed once only, by the gateway or an application\'s store (countersign; needs --expires-in)'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand value; and __fish_seen_subcommand_from loads" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand link; and not __fish_seen_subcommand_from make check" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand link; and not __fish_seen_subcommand_from make check" -f -a "make" -d 'Make a link of a URL'
complete -c countersign -n "__fish_countersign_using_subcommand link; and not __fish_seen_subcommand_from make check" -f -a "check" -d 'Check a link'
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l key -d 'A key of at least 16 bytes; several keys the newest first. Prefer --key-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l key-file -d 'A file with a key; several files the newest key first. A line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l expires-in -d 'For how many seconds it holds' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l method -d 'A method that it is for; GET where none is given, and HEAD only where it is' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l uses -d 'How often it may be followed, 1 to 100; any number of times where it is left out' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l address -d 'The one address that it may be followed from' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l key-id -d 'The id of the key with which the request that follows it must be signed' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l free -d 'A parameter of the query that may be added, changed and removed, as in `utm_source`' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -l any-host -d 'Let it hold for whatever host it is sent to'
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from make" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from check" -l key -d 'A key of at least 16 bytes; several keys the newest first. Prefer --key-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from check" -l key-file -d 'A file with a key; several files the newest key first. A line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from check" -l now -d 'The time, in seconds since 1970, instead of the clock\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from check" -l method -d 'The method that it is followed with' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from check" -l address -d 'The address that it is followed from' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from check" -l key-id -d 'The id of the key with which the request is signed' -r
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from check" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand link; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and not __fish_seen_subcommand_from list show test" -l json -d 'Print the list as JSON'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and not __fish_seen_subcommand_from list show test" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and not __fish_seen_subcommand_from list show test" -f -a "list" -d 'List the schemes with their titles (the default)'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and not __fish_seen_subcommand_from list show test" -f -a "show" -d 'Tell all about a scheme: what is signed, what is weak, and an example step by step'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and not __fish_seen_subcommand_from list show test" -f -a "test" -d 'Try every scheme of the catalogue, or those named, on its own vectors'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and __fish_seen_subcommand_from show" -l file -d 'Print the file itself, to copy and change'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and __fish_seen_subcommand_from show" -l json -d 'Print what the scheme says as JSON'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and __fish_seen_subcommand_from test" -l vectors -d 'The folder of vectors: one folder a scheme, one JSON line a message. By default `vectors`, if there is one' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and __fish_seen_subcommand_from test" -l json -d 'Print one JSON object a scheme'
complete -c countersign -n "__fish_countersign_using_subcommand schemes; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand lint" -l json -d 'Print one JSON object a finding'
complete -c countersign -n "__fish_countersign_using_subcommand lint" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand reason" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand reason" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -f -a "add" -d 'Add a key; a secret is made where none is given'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -f -a "list" -d 'List the keys without their secrets, each with its uses and the time of the last one'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -f -a "show" -d 'Show the keys of one id'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -f -a "rotate" -d 'Give an id a new secret, and let the old one end'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -f -a "revoke" -d 'End a key at once'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -f -a "import" -d 'Add the keys that `export` printed, or those of a JSON Web Key set; all or none'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -f -a "export" -d 'Print keys as JSON, with their secrets or sealed; or the public part of key pairs'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and not __fish_seen_subcommand_from add list show rotate revoke import export reseal" -f -a "reseal" -d 'Seal the stored keys with the configured seal key, or with a new one'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l secret -d 'The secret; others on this machine can read command lines, so prefer --secret-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l secret-file -d 'A file with the secret; a line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l encoding -d 'How the secret is written; text, if nothing is said' -r -f -a "base64\t'Base64 or base64url, with its padding or without'
hex\t'Hexadecimal digits'
text\t'The characters are the secret'"
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l public-key -d 'A file with a public key: PEM, a JSON Web Key, or the 64 hexadecimal digits of an Ed25519 key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l private-key -d 'A file with a private key: PEM or a JSON Web Key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l alg -d 'The one algorithm that the key may be used with' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l purpose -d 'What the key may do: verify what arrives, sign what leaves, or both' -r -f -a "both\t'Whatever it can'
sign\t'Sign requests and answers that leave'
verify\t'Verify requests that arrive'"
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l not-before -d 'The first instant at which the key may be used: 2026-01-31T00:00:00Z, or seconds since 1970' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l not-after -d 'The last instant at which the key may be used' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -s c -l config -d 'The gateway\'s configuration, which says where the store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l generate -d 'Make a secret of 256 random bits and print it (the default)'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l legacy -d 'Take a secret shorter than 16 bytes, for clients that have such a one'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from list" -s c -l config -d 'The gateway\'s configuration, which says where the store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from show" -s c -l config -d 'The gateway\'s configuration, which says where the store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from show" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l overlap -d 'How long the old secret holds on, as in 90s, 15m, 24h, 7d' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l secret -d 'The secret; others on this machine can read command lines, so prefer --secret-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l secret-file -d 'A file with the secret; a line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l encoding -d 'How the secret is written; text, if nothing is said' -r -f -a "base64\t'Base64 or base64url, with its padding or without'
hex\t'Hexadecimal digits'
text\t'The characters are the secret'"
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l public-key -d 'A file with a public key: PEM, a JSON Web Key, or the 64 hexadecimal digits of an Ed25519 key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l private-key -d 'A file with a private key: PEM or a JSON Web Key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -s c -l config -d 'The gateway\'s configuration, which says where the store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l generate -d 'Make a secret of 256 random bits and print it (the default)'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l legacy -d 'Take a secret shorter than 16 bytes, for clients that have such a one'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from revoke" -l key-version -d 'Only this version of it, as `list` gives it; all of them where it is left out' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from revoke" -s c -l config -d 'The gateway\'s configuration, which says where the store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from revoke" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from import" -l seal-key-file -d 'A file with the key that seals what is exported: 64 hexadecimal digits, as `openssl rand -hex 32` prints them' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from import" -l seal-key-env -d 'The variable that holds this key' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from import" -s c -l config -d 'The gateway\'s configuration, which says where the store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from import" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from export" -l format -d 'How a public part is written: PEM, if nothing is said' -r -f -a "pem\t'PEM: a block `PUBLIC KEY`'
jwk\t'A JSON Web Key'
jwks\t'A set of JSON Web Keys: of one id, or of all key pairs that sign'"
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from export" -l seal-key-file -d 'A file with the key that seals what is exported: 64 hexadecimal digits, as `openssl rand -hex 32` prints them' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from export" -l seal-key-env -d 'The variable that holds this key' -r
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from export" -s c -l config -d 'The gateway\'s configuration, which says where the store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from export" -l public -d 'Print the public part of the id\'s key pairs, and no secret'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from export" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from reseal" -s c -l config -d 'The gateway\'s configuration, which says where the store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from reseal" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand keys; and __fish_seen_subcommand_from reseal" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand check" -s c -l config -d 'The configuration' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand check" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand check" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand serve" -s c -l config -d 'The configuration' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand serve" -l log -d 'How the log is written, which goes to standard error' -r -f -a "json\t'One JSON object a line'
text\t'One line of text'"
complete -c countersign -n "__fish_countersign_using_subcommand serve" -l core-dumps -d 'Let the kernel write core dumps, which would hold secrets: only for finding a fault'
complete -c countersign -n "__fish_countersign_using_subcommand serve" -l unsafe-hold-journal-writes -d 'Answer before the journal is written: only for testing that this is noticed'
complete -c countersign -n "__fish_countersign_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and not __fish_seen_subcommand_from serve connect" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and not __fish_seen_subcommand_from serve connect" -f -a "serve" -d 'Run a gate: clients prove that they have a key, then their connection is carried to the service'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and not __fish_seen_subcommand_from serve connect" -f -a "connect" -d 'Get through a gate: from standard input and output, or for programs that connect here'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l listen -d 'Where clients connect' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l upstream -d 'Where the service is' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l protocol -d 'The handshake' -r -f -a "countersign-v1\t'Both prove the key, the handshake is bound to TLS where there is any: use this one'
scram-sha-256\t'SCRAM (RFC 7677), in lines of base64'
multiprocessing\t'What Python\'s multiprocessing.connection speaks'
article\t'32 random bytes, answered by their HMAC; the server proves nothing'
cram-md5\t'CRAM-MD5 (RFC 2195), in lines of base64; the server proves nothing'"
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l digest -d 'The digest of `article` (md5 if nothing is said; sha1, sha256, sha384, sha512, sm3) or `multiprocessing` (sha256; sha384, `sha3_256`, `sha3_384`, md5)' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l deadline -d 'How long a handshake may take, as in 10s' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l handshake-bytes -d 'How many bytes of a handshake the other end may send' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l secret -d 'The secret; others on this machine can read command lines, so prefer --secret-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l secret-file -d 'A file with the secret; a line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -s c -l config -d 'The configuration that says where the key store is' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l key-id -d 'The id of the key: of the secret; or which of the store\'s, for protocols whose clients name none' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l allow -d 'Only this key id may pass; may be given several times' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l own-key-id -d 'Prove a key of the gate\'s own, which clients then have to know (`countersign-v1`, with a store)' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l tls-cert -d 'A file with the certificate for TLS, and those that it was issued by, as PEM' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l tls-key -d 'A file with the certificate\'s key, as PEM' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l max-waiting -d 'How many connections may be in the handshake; past that, the one that has waited longest goes' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l max-open -d 'How many connections may be carried at a time' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l connect-timeout -d 'How long connecting to the service may take' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l grace -d 'How long connections may go on after a stop was asked for' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l workers -d 'Threads; one for each core if nothing is said' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l console -d 'Where health and metrics are, apart from the clients' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l log -d 'How the log is written, which goes to standard error' -r -f -a "json\t'One JSON object a line'
text\t'One line of text'"
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l allow-md5 -d 'Let `multiprocessing` fall back to HMAC-MD5, which is all that Python before 3.12 knows'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l require-binding -d 'Refuse `scram-sha-256` without channel binding'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -l proxy-protocol -d 'Tell the service about the client: PROXY protocol, version 2, with the key id in a TLV of type 0xE0'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l protocol -d 'The handshake' -r -f -a "countersign-v1\t'Both prove the key, the handshake is bound to TLS where there is any: use this one'
scram-sha-256\t'SCRAM (RFC 7677), in lines of base64'
multiprocessing\t'What Python\'s multiprocessing.connection speaks'
article\t'32 random bytes, answered by their HMAC; the server proves nothing'
cram-md5\t'CRAM-MD5 (RFC 2195), in lines of base64; the server proves nothing'"
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l digest -d 'The digest of `article` (md5 if nothing is said; sha1, sha256, sha384, sha512, sm3) or `multiprocessing` (sha256; sha384, `sha3_256`, `sha3_384`, md5)' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l deadline -d 'How long a handshake may take, as in 10s' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l handshake-bytes -d 'How many bytes of a handshake the other end may send' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l key-id -d 'The key id, for protocols whose clients name one' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l secret -d 'The secret; others on this machine can read command lines, so prefer --secret-file' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l secret-file -d 'A file with the secret; a line end at its end does not count' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l server-key-id -d 'The id of the gate\'s own key, where it has one (`countersign-v1`)' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l server-secret-file -d 'A file with the secret of the gate\'s own key' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l tls-ca -d 'Speak TLS, and trust these authorities: a file of PEM' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l tls-name -d 'The name in the gate\'s certificate, if it is not the host\'s' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l listen -d 'Listen here, and carry each connection through the gate, instead of standard input and output' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l connect-timeout -d 'How long connecting to the gate may take' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l grace -d 'How long connections may go on after a stop was asked for, with --listen' -r
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l log -d 'How the log is written, which goes to standard error' -r -f -a "json\t'One JSON object a line'
text\t'One line of text'"
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l allow-md5 -d 'Let `multiprocessing` fall back to HMAC-MD5, which is all that Python before 3.12 knows'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -l require-binding -d 'Refuse `scram-sha-256` without channel binding'
complete -c countersign -n "__fish_countersign_using_subcommand gate; and __fish_seen_subcommand_from connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand size" -l rps -d 'Requests a second that are accepted, at the busiest time' -r
complete -c countersign -n "__fish_countersign_using_subcommand size" -l window -d 'How long a request is accepted after it was signed: what a scheme\'s [fresh] says, as in 90s, 5m, 24h' -r
complete -c countersign -n "__fish_countersign_using_subcommand size" -l ahead -d 'How far ahead of the gateway\'s clock a client\'s may be, which is remembered too' -r
complete -c countersign -n "__fish_countersign_using_subcommand size" -l gateways -d 'How many gateways share the requests' -r
complete -c countersign -n "__fish_countersign_using_subcommand size" -l json -d 'Print JSON'
complete -c countersign -n "__fish_countersign_using_subcommand size" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand store; and not __fish_seen_subcommand_from init" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand store; and not __fish_seen_subcommand_from init" -f -a "init" -d 'Vouch that an empty store is a new one, to which no gateway ever wrote'
complete -c countersign -n "__fish_countersign_using_subcommand store; and __fish_seen_subcommand_from init" -s c -l config -d 'The gateway\'s configuration' -r -F
complete -c countersign -n "__fish_countersign_using_subcommand store; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand dev" -l scheme -d 'The scheme that the gateway demands: a name of the catalogue, or a file' -r
complete -c countersign -n "__fish_countersign_using_subcommand dev" -l var -d 'A value that the scheme asks for, as in region=us-east-1; may be given several times' -r
complete -c countersign -n "__fish_countersign_using_subcommand dev" -l listen -d 'Where the gateway listens; a free port by default' -r
complete -c countersign -n "__fish_countersign_using_subcommand dev" -l json -d 'Print the addresses and the command as one line of JSON'
complete -c countersign -n "__fish_countersign_using_subcommand dev" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c countersign -n "__fish_countersign_using_subcommand completions" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand man" -s h -l help -d 'Print help'
complete -c countersign -n "__fish_countersign_using_subcommand generated" -l schemes -d 'The pages of the catalogue\'s schemes instead'
complete -c countersign -n "__fish_countersign_using_subcommand generated" -s h -l help -d 'Print help'
