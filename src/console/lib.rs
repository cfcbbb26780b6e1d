//! The technician's menu: on a terminal or a serial line, 80×24, line by line, in English or Chinese. It asks the box
//! through the same interface as everybody else (`Port`) and decides nothing. Whatever comes from the network or the
//! keyboard is cleaned before it is shown.

mod login;
mod menu;
mod page;
mod port;
mod screen;
mod terminal;
mod told;
mod verb;
mod words;

pub use menu::{Options, run};
pub use port::{Answer, Port};
pub use terminal::{Line, Terminal, Tty};
pub use words::{Language, cause};

#[cfg(test)]
mod tests;
