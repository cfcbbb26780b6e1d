//! What `belfry COMMAND --help` prints: what the command does, its words and flags, an example. One text a command, so that a
//! command without one is seen by a test. Decides nothing.

/// What `belfry --help` prints.
pub const HELP: &str = "\
belfry - a telephone exchange and contact centre in a box

  belfry run --data DIR [--site FILE] [--sip ADDR:PORT] [--http ADDR:PORT] [--https ADDR:PORT]
             [--rtp LOW-HIGH] [--media-address IP] [--log FILTER] [--drain] [--steward PATH]
  belfry config export|check FILE|apply FILE|history|undo GENERATION [--data DIR]
  belfry get [PATH] [--data DIR]                       e.g. belfry get extension.101.name
  belfry set PATH VALUE [PATH VALUE]... [--data DIR]   e.g. belfry set network.vlan 42
  belfry add LIST [KEY] [FIELD=VALUE]... [--data DIR]  e.g. belfry add extension 120 name=Door
  belfry delete PATH [--cascade] [--data DIR]
  belfry schema [PREFIX]                               every field and what may stand in it
  belfry user set NAME --role admin|supervisor|agent|user [--data DIR]   (password on standard input)
  belfry token create NAME --role admin|supervisor|agent|user [--data DIR]
  belfry status [--json] [--data DIR]
  belfry backup create [FILE]|list|check FILE|restore FILE [--data DIR]   (pass-phrase on standard input)
  belfry factory-reset --yes [--data DIR]
  belfry update FILE [--restart now|idle|later] [--data DIR]
  belfry console [--data DIR]
  belfry pace --stdio        (the pacing of the dialler over JSON lines, for simulators; --help: the lines)
  belfry simulate dialer --scenario FILE|NAME [--seeds N] [--json]   (--help: every field of the file)
  belfry what-if --called NUMBER --at 2026-12-24T18:05 [--caller NUMBER] [--trunk NAME] [--key DIGITS]...
                 [--no-agents QUEUE]... [--off EXTENSION]... [--ignored EXTENSION]... [--answer NAME=VALUE]...
                 [--verb JSON]... [--json] [--data DIR]
  belfry steward [--socket PATH] [--root DIR] [--log FILTER]
  belfry --version | --help

belfry COMMAND --help says more of one. Without --data the folder is /var/lib/belfry.
";

/// What a command's `--help` prints; `None`: there is no such command, or it has a manual of its own.
#[must_use]
pub fn of(command: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(name, _)| *name == command).map(|(_, text)| *text)
}

const TEXTS: [(&str, &str); 17] = [
    (
        "run",
        "\
belfry run - runs the box

  belfry run --data DIR [FLAG]...

  --data DIR             folder for everything the box keeps; made when it is not there
  --site FILE            first configuration of an empty folder (TOML); later starts ignore it
  --sip ADDR:PORT        SIP over UDP and TCP; usually 0.0.0.0:5060
  --http ADDR:PORT       plain HTTP, which only leads to HTTPS; usually 0.0.0.0:8080
  --https ADDR:PORT      pages and API; usually 0.0.0.0:8443
  --rtp LOW-HIGH         UDP ports for sound, at least 8; usually 10000-10999
  --media-address IP     address that phones send sound to; found by itself when not given
  --log FILTER           such as info, or info,engine=debug
  --drain                when it is told to stop, it waits until the calls have ended
  --steward PATH         socket of belfry steward, which does what needs root; on a PC there is none

It stops on SIGTERM or Ctrl-C. The first start prints where to sign in.
Example: belfry run --data /tmp/box --sip 0.0.0.0:5060
",
    ),
    (
        "config",
        "\
belfry config - the whole configuration as one text

  belfry config export [--data DIR]            prints the site as TOML; secrets are in it
  belfry config check FILE [--data DIR]        says every problem of a file, and what it would take away
  belfry config apply FILE [--data DIR]        checks a file and puts it in force; calls go on
  belfry config history [--data DIR]           lists what was in force, newest first
  belfry config undo GENERATION [--data DIR]   puts an older one in force again

A file is the whole site: what does not stand in it is taken away.
Example: belfry config export > site.toml; edit it; belfry config check site.toml; belfry config apply site.toml
",
    ),
    (
        "get",
        "\
belfry get - shows what is set

  belfry get [PATH] [--data DIR]

PATH is section.field, or section.key.field; without one everything is shown.
Example: belfry get extension.101.name
",
    ),
    (
        "set",
        "\
belfry set - sets fields, all at once or none

  belfry set PATH VALUE [PATH VALUE]... [--data DIR]

Example: belfry set extension.101.name \"Front desk\" extension.101.ring_timeout_s 25
belfry schema lists every PATH and what may stand there.
",
    ),
    (
        "add",
        "\
belfry add - adds an item to a list

  belfry add LIST [KEY] [FIELD=VALUE]... [--data DIR]

Example: belfry add extension 120 name=Door
belfry schema lists every LIST and its fields.
",
    ),
    (
        "delete",
        "\
belfry delete - takes an item away, or a field, which then has its usual value

  belfry delete PATH [--cascade] [--data DIR]

  --cascade   what uses it goes too; without it, it is refused and the users are named
Example: belfry delete extension.120 --cascade
",
    ),
    (
        "schema",
        "\
belfry schema - lists every field and what may stand in it

  belfry schema [PREFIX]

Example: belfry schema queue
",
    ),
    (
        "user",
        "\
belfry user - gives somebody a password for the pages

  belfry user set NAME --role admin|supervisor|agent|user [--data DIR]

The password is the first line of standard input. An old one of the same name is replaced.
Example: echo 'a long password' | belfry user set anna --role admin
",
    ),
    (
        "token",
        "\
belfry token - makes a token for a program that uses the API

  belfry token create NAME --role admin|supervisor|agent|user [--data DIR]

It prints the token and nothing else; it is shown this once.
Example: belfry token create crm --role supervisor
",
    ),
    (
        "status",
        "\
belfry status - how the running box is: calls, phones, trunks, alarms

  belfry status [--json] [--data DIR]

  --json   the whole answer for programs
",
    ),
    (
        "backup",
        "\
belfry backup - saves the site and takes it back

  belfry backup create [FILE] [--data DIR]   into FILE, or as the configuration says
  belfry backup list [--data DIR]            the backups there are
  belfry backup check FILE [--data DIR]      says what is in one, and whether it is whole
  belfry backup restore FILE [--data DIR]    takes one back in place of what is there

The pass-phrase is the first line of standard input.
Example: echo 'a pass-phrase' | belfry backup create monday.backup
",
    ),
    (
        "factory-reset",
        "\
belfry factory-reset - removes everything: site, messages, recordings, history, users

  belfry factory-reset --yes [--data DIR]

  --yes   it is meant; without it nothing is done
",
    ),
    (
        "update",
        "\
belfry update - installs a new version of the box

  belfry update FILE [--restart now|idle|later] [--data DIR]

  --restart idle    (usual) as soon as no call is up, at the latest in an hour
  --restart now     at once; calls end
  --restart later   at the next restart that somebody asks for
FILE is a bundle, .raucb. One that is not whole, not signed or for another board is refused.
",
    ),
    (
        "console",
        "\
belfry console - the technician's menu on this terminal

  belfry console [--data DIR]
",
    ),
    (
        "what-if",
        "\
belfry what-if - says what would happen to a call, without making one

  belfry what-if --called NUMBER --at DAYTHH:MM [FLAG]... [--data DIR]

  --called NUMBER       what is dialled
  --at DAYTHH:MM        when, in the site's time zone, e.g. 2026-12-24T18:05
  --caller NUMBER       who calls: an extension, or a number outside
  --trunk NAME          it comes in over this trunk
  --key DIGITS          pressed at the next menu; may be given again for the one after
  --no-agents QUEUE     nobody is logged in there; may be given again
  --off EXTENSION       its phone is not registered; may be given again
  --ignored EXTENSION   it rings and nobody answers; may be given again
  --answer NAME=VALUE   what services answer to lookups; may be given again
  --verb JSON           what an application says to it, e.g. '{\"verb\":\"queue\",\"queue\":\"main\"}'; may be given again
  --json                for programs
",
    ),
    (
        "steward",
        "\
belfry steward - does for the box what needs root: network, clock, update, restart; started by the system

  belfry steward [--socket PATH] [--root DIR] [--log FILTER]

  --socket PATH   where it listens
  --root DIR      a folder that stands for the machine, for tests
  --log FILTER    such as info, or info,board=debug
",
    ),
    (
        "role",
        "\
belfry role - a part of the box, started and watched by belfry run; not for people

  belfry role control|media [the flags of belfry run]
",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_help_says_more_of_itself() {
        let named = HELP.lines().filter_map(|line| line.strip_prefix("  belfry "));
        let commands = named.filter_map(|rest| rest.split(' ').next()).filter(|word| !word.starts_with('-'));
        for command in commands.filter(|c| !["pace", "simulate"].contains(c)) {
            let text = of(command).unwrap_or_else(|| panic!("{command} has no text"));
            assert!(text.starts_with(&format!("belfry {command} - ")), "{command}");
            assert!(text.contains(&format!("\n  belfry {command}")), "{command}: its line");
            assert!(text.lines().all(|line| line.chars().count() <= 120), "{command}: too wide");
        }
    }
}
