//! Paths in messages: harmless to a terminal, and quoted where they stand in a command to copy.

use std::ffi::OsStr;
use std::path::Path;

/// What stands for standard input or output on the command line.
pub(crate) const DASH: &str = "-";

/// A path for a message. One with control characters, which could steer the terminal, is shown
/// escaped.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.into_owned()
    }
}

/// The name of an entry, for a message or a list. What would steer the terminal, and what is no
/// text, is shown escaped.
pub(crate) fn shown_name(name: &[u8]) -> String {
    let mut shown = String::with_capacity(name.len());
    for part in name.utf8_chunks() {
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

/// The name of an entry as it was typed: a slash behind a directory's, or `./` before it, does not
/// matter. What is no text on a system whose names are text, is no name.
pub(crate) fn typed_name(typed: &OsStr) -> Option<Vec<u8>> {
    let typed = system_bytes(typed)?;
    let mut name = typed.as_slice();
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    while let Some(rest) = name.strip_suffix(b"/") {
        name = rest;
    }
    Some(name.to_vec())
}

/// What the system calls something, as an archive has it: with `/` between components.
pub(crate) fn system_bytes(text: &OsStr) -> Option<Vec<u8>> {
    #[cfg(unix)]
    {
        Some(std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec())
    }
    #[cfg(not(unix))]
    {
        Some(text.to_str()?.replace(std::path::MAIN_SEPARATOR, "/").into_bytes())
    }
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

/// `1 entry`, `2 entries`.
pub(crate) fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
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
    fn typed_names() {
        for (typed, name) in
            [("a/b", "a/b"), ("a/", "a"), ("./a//", "a"), ("././a", "a"), (".a", ".a"), ("./", "")]
        {
            assert_eq!(typed_name(typed.as_ref()).as_deref(), Some(name.as_bytes()), "{typed}");
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(shown(Path::new("a\u{1b}[2Jb")), "a\\u{1b}[2Jb");
        assert_eq!(shown(Path::new("it's fine")), "it's fine");
        assert_eq!(shown_name(b"a\x1b[2Jb/caf\xe9"), "a\\u{1b}[2Jb/caf\\xe9");
        assert_eq!(shown_name("größe's".as_bytes()), "größe's");
    }
}
