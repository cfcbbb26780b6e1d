//! Fills in passwords and PINs that a draft leaves out: kept from the configuration in force, or made at random.
//! Randomness comes in as bytes. Touches nothing else of the tree.
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// No 0 O o, 1 l I: a person copies it from a screen into a phone.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// 20 of 56 letters: 116 bits.
const PASSWORD_LENGTH: usize = 20;
/// Of the webhook's signature: 42 of 56 letters are 243 bits.
const SIGNATURE_LENGTH: usize = 42;
/// Asked for by the reader: 6 to 12.
const PIN_LENGTH: usize = 6;

/// Makes a password for every extension, a PIN for every mailbox and a key for the webhook that has none. `entropy` fills a buffer with random
/// bytes. What is there, even if wrong, is left alone for [`super::read`] to judge.
pub fn complete(tree: &mut Value, entropy: &mut dyn FnMut(&mut [u8])) {
    for extension in items(tree, "extension") {
        if absent(extension, "password") {
            let text = random(LETTERS, PASSWORD_LENGTH, entropy);
            extension.insert("password".into(), Value::String(text));
        }
        if let Some(Value::Object(voicemail)) = extension.get_mut("voicemail")
            && absent(voicemail, "pin")
        {
            voicemail.insert("pin".into(), Value::String(pin(entropy)));
        }
    }
    if let Some(Value::Object(alarm)) = tree.get_mut("alarm")
        && !absent(alarm, "webhook")
        && absent(alarm, "webhook_secret")
    {
        let text = random(LETTERS, SIGNATURE_LENGTH, entropy);
        alarm.insert("webhook_secret".into(), Value::String(text));
    }
}

/// Keeps the secrets of `current` for items that a new tree names again without them: so a file without passwords can
/// be applied, or an item saved in a form that does not show them, and no phone has to be set up anew.
pub fn inherit(tree: &mut Value, current: &Value) {
    let known = by_key(current, "extension", "number");
    for extension in items(tree, "extension") {
        let Some(old) = same(&known, "number", extension) else { continue };
        keep(extension, old, "password");
        if let (Some(Value::Object(new)), Some(old)) = (extension.get_mut("voicemail"), old.get("voicemail"))
        {
            keep(new, old, "pin");
        }
    }
    let known = by_key(current, "trunk", "name");
    for trunk in items(tree, "trunk") {
        let Some(old) = same(&known, "name", trunk) else { continue };
        if trunk.get("username").is_some() && trunk.get("username") == old.get("username") {
            keep(trunk, old, "password");
        }
    }
    if let (Some(Value::Object(mail)), Some(old)) = (tree.get_mut("mail"), current.get("mail"))
        && mail.get("user").is_some()
        && mail.get("user") == old.get("user")
    {
        keep(mail, old, "password");
    }
    if let (Some(Value::Object(backup)), Some(old)) = (tree.get_mut("backup"), current.get("backup")) {
        keep(backup, old, "pass_phrase");
    }
    if let (Some(Value::Object(alarm)), Some(old)) = (tree.get_mut("alarm"), current.get("alarm"))
        && !absent(alarm, "webhook")
    {
        keep(alarm, old, "webhook_secret");
    }
}

fn items<'a>(tree: &'a mut Value, section: &str) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = tree.get_mut(section).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

fn by_key<'a>(tree: &'a Value, section: &str, key: &str) -> BTreeMap<&'a str, &'a Value> {
    let items = tree.get(section).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some((item.get(key)?.as_str()?, item))).collect()
}

fn same<'a>(known: &BTreeMap<&str, &'a Value>, key: &str, item: &Map<String, Value>) -> Option<&'a Value> {
    known.get(item.get(key)?.as_str()?).copied()
}

fn absent(item: &Map<String, Value>, field: &str) -> bool {
    item.get(field).is_none_or(|v| v.is_null() || v.as_str().is_some_and(|t| t.trim().is_empty()))
}

fn keep(new: &mut Map<String, Value>, old: &Value, field: &str) {
    if absent(new, field)
        && let Some(value) = old.get(field)
    {
        new.insert(field.into(), value.clone());
    }
}

/// Picks each letter evenly: bytes beyond the last whole multiple are thrown away.
fn random(letters: &[u8], length: usize, entropy: &mut dyn FnMut(&mut [u8])) -> String {
    let fair = 256 - 256 % letters.len();
    let mut out = String::new();
    let mut bytes = [0u8; 32];
    while out.len() < length {
        entropy(&mut bytes);
        let picked = bytes.iter().map(|&b| usize::from(b)).filter(|&b| b < fair);
        out.extend(picked.map(|b| char::from(letters[b % letters.len()])).take(length - out.len()));
    }
    out
}

/// A PIN that the reader accepts: no row of digits.
fn pin(entropy: &mut dyn FnMut(&mut [u8])) -> String {
    loop {
        let text = random(b"0123456789", PIN_LENGTH, entropy);
        if super::people::pin(&text).is_ok() {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut n = 0u8;
        move |bytes| {
            for b in bytes {
                n = n.wrapping_mul(73).wrapping_add(41);
                *b = n;
            }
        }
    }

    #[test]
    fn only_what_is_missing_is_made() {
        let mut tree = json!({ "extension": [
            { "number": "101", "voicemail": {} },
            { "number": "102", "password": "kept-as-it-is", "voicemail": { "pin": "190283" } },
            { "number": "103", "password": "" },
        ]});
        complete(&mut tree, &mut counting());
        let text = |path: &str| tree.pointer(path).and_then(Value::as_str).expect(path).to_owned();
        assert_eq!(text("/extension/0/password").len(), 20);
        assert_eq!(text("/extension/0/voicemail/pin").len(), 6);
        assert_eq!(text("/extension/1/password"), "kept-as-it-is");
        assert_eq!(text("/extension/1/voicemail/pin"), "190283");
        assert_eq!(text("/extension/2/password").len(), 20);
        assert_ne!(text("/extension/0/password"), text("/extension/2/password"));
        assert!(tree.pointer("/extension/2/voicemail").is_none(), "no mailbox is made");
    }

    #[test]
    fn made_passwords_can_be_read_aloud() {
        let mut tree = json!({ "extension": [{ "number": "101" }] });
        complete(&mut tree, &mut counting());
        let text = tree.pointer("/extension/0/password").and_then(Value::as_str).expect("made");
        assert!(!text.contains(['0', 'O', 'o', '1', 'l', 'I']), "{text}");
    }

    #[test]
    fn secrets_of_the_same_item_are_kept_and_others_not() {
        let current = json!({
            "extension": [{ "number": "101", "password": "old", "voicemail": { "pin": "9" } }],
            "trunk": [{ "name": "c", "username": "u", "password": "t" }],
            "mail": { "user": "m", "password": "p" },
        });
        let mut tree = json!({
            "extension": [{ "number": "101", "voicemail": {} }, { "number": "102" }],
            "trunk": [{ "name": "c", "username": "other" }],
            "mail": { "user": "m" },
        });
        inherit(&mut tree, &current);
        assert_eq!(tree.pointer("/extension/0/password"), Some(&json!("old")));
        assert_eq!(tree.pointer("/extension/0/voicemail/pin"), Some(&json!("9")));
        assert_eq!(tree.pointer("/extension/1/password"), None);
        assert_eq!(tree.pointer("/trunk/0/password"), None, "another account has another password");
        assert_eq!(tree.pointer("/mail/password"), Some(&json!("p")));
    }
}
