//! A configuration that a newer program wrote, met by this one after a roll-back. What this program does not know is left
//! out, and the rest becomes a generation of its own, so that everything set meanwhile stays in force; the generation of the
//! newer program stays in the history as it is, and can be taken back when that program runs again. Decides nothing when
//! something else is wrong with it: then an older generation counts, as ever.
use model::clock::Wall;
use model::config::Config;
use model::config::draft::{self, Problem};
use model::id::Generation;
use model::query::GenerationRow;
use rusqlite::Connection;
use serde_json::Value;

/// Rounds of leaving out: what hangs on something left out goes in the next one, and no site is deeper.
const ROUNDS: usize = 8;

/// What was left out of which generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// The generation of the newer program.
    pub generation: Generation,
    /// Paths this program does not know.
    pub left_out: Vec<String>,
}

/// Makes the known part of the newest generation the newest one, if leaving out is all it needs.
pub(crate) fn adapt(db: &Connection, now: Wall) -> rusqlite::Result<Option<Newer>> {
    let Some((generation, tree)) = crate::config::newest(db)? else { return Ok(None) };
    if draft::read(&tree).is_ok() {
        return Ok(None);
    }
    let Some((config, left_out)) = known_part(tree) else { return Ok(None) };
    let summary = format!("generation {generation} without {} fields of a newer version", left_out.len());
    let row = GenerationRow { generation: Generation(generation.0 + 1), at: now, by: "box".into(), summary };
    let stored = crate::config::insert(db, &row, &draft::to_tree(&config))?;
    Ok(stored.is_ok().then_some(Newer { generation, left_out }))
}

/// The site without what is not known here, and the paths of that; `None` = something else is wrong.
fn known_part(mut tree: Value) -> Option<(Config, Vec<String>)> {
    let mut left_out = Vec::new();
    for _ in 0..ROUNDS {
        match draft::read(&tree) {
            Ok(config) => return Some((config, left_out)),
            Err(problems) => {
                for field in unknown(problems)? {
                    take_out(&mut tree, &field)?;
                    left_out.push(field);
                }
            }
        }
    }
    None
}

/// The fields, if not being known is all that is wrong.
fn unknown(problems: Vec<Problem>) -> Option<Vec<String>> {
    let newer = |p: Problem| ["unknown_field", "unknown_word"].contains(&p.code.as_str()).then_some(p.field);
    problems.into_iter().map(newer).collect()
}

/// Removes the field at a path as problems name it, `extension[0].record`; `None` = it is no field of a table.
fn take_out(tree: &mut Value, path: &str) -> Option<()> {
    let (way, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = tree;
    for step in way.split('.').filter(|step| !step.is_empty()) {
        let mut parts = step.split('[');
        at = at.get_mut(parts.next()?)?;
        for part in parts {
            let index: usize = part.strip_suffix(']')?.parse().ok()?;
            at = at.get_mut(index)?;
        }
    }
    at.as_object_mut()?.remove(last).map(drop)
}
