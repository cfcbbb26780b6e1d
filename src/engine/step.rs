//! The guarded step: a part's work is kept only if it returned. A panic inside is a bug; it costs the one call that ran into
//! it, never the box. Never hides anything: the caller is told the panic's words.
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the work of one step.
///
/// # Errors
/// The words of the panic. Whatever the work had taken by value is gone; what it only looked at is untouched.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|t| (*t).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unknown panic".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_words() {
        assert_eq!(guarded(|| 7), Ok(7));
        let words = guarded(|| -> u8 { panic!("table {} is gone", 3) });
        assert_eq!(words, Err("table 3 is gone".to_owned()));
    }
}
