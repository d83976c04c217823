//! Paths and numbers in messages. Paths are escaped so that they cannot control the terminal, and
//! quoted where they are part of a command that the user can copy.

use std::path::Path;

/// Formats a path. A path with control characters is escaped.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.into_owned()
    }
}

/// Formats an entry path. Control characters and invalid UTF-8 are escaped.
pub(crate) fn shown_entry(path: &[u8]) -> String {
    let mut shown = String::with_capacity(path.len());
    for part in path.utf8_chunks() {
        let text = part.valid();
        if text.chars().any(char::is_control) {
            shown.extend(text.escape_debug());
        } else {
            shown.push_str(text);
        }
        shown.extend(part.invalid().iter().flat_map(|byte| byte.escape_ascii()).map(char::from));
    }
    shown
}

/// Formats an entry path below the directory into which the entry is restored.
pub(crate) fn shown_below(directory: &Path, entry: &[u8]) -> String {
    let below = shown_entry(entry);
    match shown(directory).as_str() {
        "" | "." => below,
        directory if entry.is_empty() => directory.to_owned(),
        directory => format!("{}/{below}", directory.trim_end_matches('/')),
    }
}

/// Quotes a path as a word of a shell command that can be copied and run.
pub(crate) fn shell_word(path: &Path) -> String {
    let text = path.to_string_lossy();
    // A leading dash would make it an option.
    let text = if text.starts_with('-') { format!("./{text}") } else { text.into_owned() };
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else if text.chars().any(char::is_control) {
        format!("$'{}'", text.escape_debug())
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Formats a number of bytes: `1 byte`, `2 bytes`.
pub(crate) fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// Formats a number of entries: `1 entry`, `2 entries`.
pub(crate) fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_words_are_quoted() {
        for (path, quoted) in [
            ("photo.jpg", "photo.jpg"),
            ("my photo.jpg", "'my photo.jpg'"),
            ("it's", r"'it'\''s'"),
            ("-rf", "./-rf"),
            ("$HOME", "'$HOME'"),
            ("größe", "größe"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(Path::new(path)), quoted);
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(shown(Path::new("a\u{1b}[2Jb")), "a\\u{1b}[2Jb");
        assert_eq!(shown(Path::new("it's fine")), "it's fine");
        assert_eq!(shown_entry(b"a\x1b[2Jb/caf\xe9"), "a\\u{1b}[2Jb/caf\\xe9");
        assert_eq!(shown_entry("größe's".as_bytes()), "größe's");
    }
}
