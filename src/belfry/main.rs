//! The binary: reads the command line and starts a role. Wires every part, decides nothing.
mod application;
mod args;
mod asker;
mod backup_cli;
mod browser_phones;
mod capture;
mod cli;
mod cli_edit;
mod clock;
mod control;
mod disk_watch;
mod door;
mod engine_loop;
mod health;
mod hopper;
mod intake;
mod keeper;
mod lan;
mod lifecycle;
mod lists;
mod logging;
mod mailer;
mod media_role;
mod memory;
mod mirror;
mod pace;
mod panel;
mod ports;
mod prompts;
mod recogniser;
mod replies;
mod retention;
mod role;
mod simulate;
mod site;
mod steward;
mod studio;
mod supervisor;
mod technician;
mod update;
mod usage;
mod voice;
mod wire;

use args::{Command, Role};
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = match args::read(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(usage) => {
            lifecycle::complain(&usage.to_string());
            return ExitCode::from(role::EXIT_BAD_INPUT);
        }
    };
    match command {
        Command::Help(text) => {
            lifecycle::say(text.trim_end());
            ExitCode::SUCCESS
        }
        Command::Version => {
            lifecycle::say(concat!("belfry ", env!("CARGO_PKG_VERSION")));
            ExitCode::SUCCESS
        }
        Command::Run(options) => {
            if let Err(error) = supervisor::hold_signals() {
                lifecycle::complain(&format!("signals cannot be held: {error}"));
                return ExitCode::FAILURE;
            }
            let _log = logging::start(&options.log);
            supervisor::run(options)
        }
        Command::Role(role, options) => {
            let _log = logging::start(&options.log);
            match role {
                Role::Control => control::run(&options),
                Role::Media => media_role::run(&options),
            }
        }
        Command::Pace => {
            match pace::stdio(std::io::stdin().lock(), std::io::stdout().lock(), lifecycle::complain) {
                Ok(()) => ExitCode::SUCCESS,
                Err(wrong) => {
                    lifecycle::complain(&wrong);
                    ExitCode::from(role::EXIT_BAD_INPUT)
                }
            }
        }
        Command::PaceHelp => {
            lifecycle::say(pace::MANUAL.trim_end());
            ExitCode::SUCCESS
        }
        Command::SimulateHelp => {
            lifecycle::say(sim::dialer::scenario::MANUAL.trim_end());
            ExitCode::SUCCESS
        }
        Command::SimulateDialer { scenario, seeds, json } => {
            cli::finish(simulate::dialer(&scenario, seeds, json).map(|text| lifecycle::say(text.trim_end())))
        }
        Command::WhatIf { question, json, data } => cli::finish(cli::what_if(&question, json, &data)),
        Command::Steward(options) => {
            let _log = logging::start(&options.log);
            steward::run(&options)
        }
        Command::Backup(command, data) => cli::finish(backup_cli::backup(command, &data)),
        Command::FactoryReset { yes, data } => cli::finish(backup_cli::factory_reset(yes, &data)),
        Command::Edit(command, data) => cli::finish(cli_edit::run(&command, &data)),
        Command::Config(command, data) => cli::finish(cli::config(command, &data)),
        Command::UserSet { name, role, data } => cli::finish(cli::user_set(&name, &role, &data)),
        Command::TokenCreate { name, role, data } => cli::finish(cli::token_create(&name, &role, &data)),
        Command::Update { file, restart, data } => cli::finish(cli::update(&file, restart, &data)),
        Command::Status { json, data } => cli::finish(cli::status(json, &data)),
        Command::Console(data) => cli::finish(technician::run(&data)),
    }
}
