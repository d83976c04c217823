//! Paths in messages: harmless to a terminal, and quoted where they stand in a command to copy.

use std::path::Path;

/// What stands for standard input or output on the command line.
pub(crate) const DASH: &str = "-";

/// A path for a message. One with control characters, which could steer the terminal, is shown escaped.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.chars().any(char::is_control) { text.escape_debug().to_string() } else { text.into_owned() }
}

/// A path as a word of a shell command, which can be copied and run.
pub(crate) fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    // Else it would be taken for an option.
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

/// `1 byte`, `2 bytes`.
pub(crate) fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_shell() {
        for (path, quoted) in [
            ("photo.jpg", "photo.jpg"),
            ("my photo.jpg", "'my photo.jpg'"),
            ("it's", r"'it'\''s'"),
            ("-rf", "./-rf"),
            ("$HOME", "'$HOME'"),
            ("größe", "größe"),
            ("", "''"),
        ] {
            assert_eq!(word(Path::new(path)), quoted);
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(shown(Path::new("a\u{1b}[2Jb")), "a\\u{1b}[2Jb");
        assert_eq!(shown(Path::new("it's fine")), "it's fine");
    }
}
