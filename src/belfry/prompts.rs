//! The built-in prompts and music, embedded by `build.rs`. Data only.
use media::prompts::PromptSet;
use model::media::Language;

include!(concat!(env!("OUT_DIR"), "/prompts.rs"));

/// All of them.
#[must_use]
pub fn all() -> PromptSet {
    let mut set = PromptSet::new();
    for (name, sound) in EN {
        set.add_prompt(Language::En, name, sound);
    }
    for (name, sound) in ZH {
        set.add_prompt(Language::Zh, name, sound);
    }
    for (name, sound) in MUSIC {
        set.add_music(name, sound);
    }
    set
}
