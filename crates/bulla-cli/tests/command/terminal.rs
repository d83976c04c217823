//! Running on a terminal: prompts do not echo, new keys are printed, and containers are not.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::sandbox::{BULLA, DEFAULT_SIGNALS, Outcome, Sandbox, finish, noise, wait_until};

/// A pseudo-terminal that the command runs on.
struct Terminal {
    keyboard: File,
    /// The output so far.
    screen: Arc<Mutex<String>>,
    /// The terminal device, kept open so that its modes can be read.
    line: File,
    child: Child,
}

impl Terminal {
    fn run(sandbox: &Sandbox, args: &str) -> Terminal {
        let keyboard =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
        let no_ctty = OFlags::NOCTTY.bits() as i32;
        let line = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(no_ctty)
            .open(Path::new(&name))
            .unwrap();
        // `setsid --ctty` makes the pseudo-terminal the controlling terminal, so that opening
        // /dev/tty opens it.
        let child = sandbox
            .wrapped("env", &format!("{DEFAULT_SIGNALS} setsid --ctty --wait {BULLA} {args}"))
            .stdin(line.try_clone().unwrap())
            .stdout(line.try_clone().unwrap())
            .stderr(line.try_clone().unwrap())
            .spawn()
            .unwrap();
        let keyboard = File::from(keyboard);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut from, shown) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut buf = [0; 1000];
            while let Ok(len @ 1..) = from.read(&mut buf) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&buf[..len]));
            }
        });
        Terminal { keyboard, screen, line, child }
    }

    fn wait_for(&self, text: &str) {
        wait_until(&format!("{text:?} is shown"), || self.shown().contains(text));
    }

    fn type_text(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    fn shown(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    fn echoes(&self) -> bool {
        tcgetattr(self.line.as_fd()).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the command to exit, checks its exit code and returns its output.
    fn exits(self, code: i32) -> String {
        let Terminal { screen, line, child, .. } = self;
        let outcome: Outcome = finish(child).exits(code);
        drop((outcome, line));
        // The last output may arrive after the command has exited.
        std::thread::sleep(std::time::Duration::from_millis(50));
        screen.lock().unwrap().clone()
    }
}

fn key(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read("k")).unwrap()
}

#[test]
fn typed_key_is_not_echoed() {
    let sandbox = Sandbox::with_container(100);
    let mut terminal = Terminal::run(&sandbox, "open c -o opened");
    terminal.wait_for("Key (64 hex digits, not shown): ");
    assert!(!terminal.echoes());
    let digits: String = key(&sandbox).split_whitespace().collect();
    terminal.type_text(&format!("{digits}\n"));
    let shown = terminal.exits(0);
    assert!(!shown.contains(&digits[..4]), "{shown}");
    assert_eq!(sandbox.read("opened"), sandbox.read("plain"));
}

#[test]
fn accepts_a_pasted_four_line_key() {
    let sandbox = Sandbox::with_container(100);
    let mut terminal = Terminal::run(&sandbox, "verify c");
    terminal.wait_for("Key");
    terminal.type_text(&key(&sandbox));
    assert!(terminal.exits(0).contains("verified 100 bytes"));
}

#[test]
fn rejects_invalid_keys() {
    let sandbox = Sandbox::with_container(100);
    for (typed, message) in [
        ("\n", "64 hex digits"),
        ("0011 2233\n\n", "64 hex digits"),
        ("00x1\n", "character 3"),
        ("\u{4}", "64 hex digits"),
    ] {
        let mut terminal = Terminal::run(&sandbox, "open c -o opened");
        terminal.wait_for("Key");
        terminal.type_text(typed);
        let shown = terminal.exits(2);
        assert!(shown.contains(message), "{shown}");
    }
    let mut terminal = Terminal::run(&sandbox, "open c -o opened");
    terminal.wait_for("Key");
    terminal.type_text(&format!("{}\n", "0".repeat(64)));
    assert!(terminal.exits(3).contains("wrong key; it belongs to another container"));
    assert!(!sandbox.path("opened").exists());
}

/// With a mistyped key, the result would be a container that nobody can open.
#[test]
fn key_for_sealing_is_typed_twice() {
    let sandbox = Sandbox::with_container(100);
    let key = key(&sandbox);
    for (again, code) in
        [(&key[..], 0), (&key.replace(&key[..1], "0").replace(&key[1..2], "1")[..], 2)]
    {
        let mut terminal = Terminal::run(&sandbox, "seal plain -fo sealed");
        terminal.wait_for("Key");
        terminal.type_text(&key);
        terminal.wait_for("Repeat the ");
        terminal.type_text(again);
        let shown = terminal.exits(code);
        assert_eq!(shown.contains("do not match"), code == 2, "{shown}");
        assert!(code == 2 || shown.contains("To open it: bulla open sealed -o plain"), "{shown}");
    }
    sandbox.run("verify -k k sealed").exits(0);
}

/// The prompt shows the typed digit and the correct one, and Enter accepts the correction.
#[test]
fn mistyped_key_is_corrected() {
    let sandbox = Sandbox::with_container(100);
    sandbox.run("seal --recovery-key k plain -o e").exits(0);
    sandbox.write("pass", b"correct horse");
    sandbox.run("seal --recovery-key k --passphrase-file pass plain -o p").exits(0);
    let mut digits: Vec<char> = key(&sandbox).chars().filter(char::is_ascii_hexdigit).collect();
    let (right, wrong) = if digits[36] == '3' { ('3', '8') } else { (digits[36], '3') };
    digits[36] = wrong;
    let typed: String = digits.into_iter().collect();
    for container in ["c", "e", "p"] {
        for (answer, code) in [("\n", 0), ("y\n", 0), ("n\n", 3), ("\u{4}", 3)] {
            let mut terminal = Terminal::run(&sandbox, &format!("open {container} -fo opened"));
            terminal.wait_for("not shown): ");
            terminal.type_text(&format!("{typed}\n"));
            terminal.wait_for("[Y/n]");
            assert!(terminal.echoes());
            terminal.type_text(answer);
            let shown = terminal.exits(code);
            let says = format!("typed {wrong} instead of {right}.");
            assert!(shown.contains(&says), "{shown}");
            assert!(shown.contains("igit 37") && shown.contains("group 10"), "{shown}");
            assert!(!shown.contains(&typed[..8]), "{shown}");
            assert_eq!(
                shown.contains("correct the key where it is written down"),
                code == 0,
                "{shown}"
            );
        }
    }
}

/// A new passphrase is typed twice. Unlocking allows three attempts.
#[test]
fn prompts_for_passphrases() {
    let sandbox = Sandbox::with_container(100);
    let names = sandbox.names();
    for (first, second, message) in [("one", Some("two"), "do not match"), ("", None, "is empty")] {
        let mut terminal = Terminal::run(&sandbox, "seal --passphrase plain -o e");
        terminal.wait_for("New passphrase (not shown): ");
        assert!(!terminal.echoes());
        terminal.type_text(&format!("{first}\n"));
        if let Some(second) = second {
            terminal.wait_for("Repeat the ");
            terminal.type_text(&format!("{second}\n"));
        }
        assert!(terminal.exits(2).contains(message));
        assert_eq!(sandbox.names(), names);
    }

    let mut terminal = Terminal::run(&sandbox, "seal --passphrase --new-key n plain -o e");
    terminal.wait_for("New passphrase");
    terminal.type_text("correct horse\n");
    terminal.wait_for("Repeat the ");
    terminal.type_text("correct horse\n");
    let shown = terminal.exits(0);
    assert!(shown.contains("bulla open e -o plain") && !shown.contains("horse"), "{shown}");

    let mut terminal = Terminal::run(&sandbox, "verify e");
    terminal.wait_for("Passphrase or 64-digit key (not shown): ");
    terminal.type_text("CORRECT HORSE\n");
    terminal.wait_for("wrong passphrase: check Caps Lock and the keyboard layout; 2 attempts left");
    terminal.type_text("correct horse\n");
    assert!(terminal.exits(0).contains("verified 100 bytes"));

    // The same prompt also accepts a four-line key.
    let mut terminal = Terminal::run(&sandbox, "verify e");
    terminal.wait_for("Passphrase or");
    terminal.type_text(&String::from_utf8(sandbox.read("n")).unwrap());
    assert!(terminal.exits(0).contains("verified 100 bytes"));

    let mut terminal = Terminal::run(&sandbox, "verify e");
    for left in ["2 attempts left", "1 attempt left", "keyboard layout\r\n"] {
        terminal.wait_for("(not shown): ");
        terminal.type_text("wrong\n");
        terminal.wait_for(left);
    }
    assert!(terminal.exits(3).contains("wrong passphrase, or the passphrase of another container"));
}

#[test]
fn interrupted_prompt_restores_echo() {
    let sandbox = Sandbox::with_container(100);
    let mut terminal = Terminal::run(&sandbox, "open c -o opened");
    terminal.wait_for("Key");
    assert!(!terminal.echoes());
    terminal.type_text("0011\u{3}");
    wait_until("the command exits", || terminal.child.try_wait().unwrap().is_some());
    assert!(terminal.echoes());
    terminal.exits(130);
    assert_eq!(sandbox.names(), ["c", "k", "plain"].map(String::from).into());
}

#[test]
fn keygen_prints_the_key() {
    let sandbox = Sandbox::new();
    let shown = Terminal::run(&sandbox, "keygen -o new").exits(0).replace("\r\n", "\n");
    assert!(shown.contains(&String::from_utf8(sandbox.read("new")).unwrap()), "{shown}");
    let shown = Terminal::run(&sandbox, "keygen -qo quiet").exits(0);
    assert_eq!(shown, "");
}

#[test]
fn refuses_to_write_a_container_to_a_terminal() {
    let sandbox = Sandbox::with_container(100);
    for output in ["-", "/dev/tty", "/dev/stdout"] {
        let shown = Terminal::run(&sandbox, &format!("seal -k k plain -o {output}")).exits(2);
        assert!(shown.contains("refusing to write binary data to a terminal"), "{shown}");
    }
    let shown = Terminal::run(&sandbox, "backup --new-key n - plain").exits(2);
    assert!(shown.contains("refusing to write binary data to a terminal"), "{shown}");
    let shown = Terminal::run(&sandbox, "seal --new-key n plain -o -").exits(2);
    assert!(!sandbox.path("n").exists(), "{shown}");
}

#[test]
fn missing_input_is_an_error() {
    let sandbox = Sandbox::new();
    for args in ["seal -k k", "open -k k", "seal -k k -o x"] {
        assert!(Terminal::run(&sandbox, args).exits(2).contains("no input; name a file"));
    }
}

#[test]
fn shows_a_progress_bar_unless_quiet() {
    let sandbox = Sandbox::new();
    for (args, bar) in [("seal -k k pipe -o x", true), ("seal -q -k k pipe -fo x", false)] {
        let _ = std::fs::remove_file(sandbox.path("pipe"));
        sandbox.shell("mkfifo pipe").exits(0);
        let terminal = Terminal::run(&sandbox, args);
        let mut pipe = OpenOptions::new().write(true).open(sandbox.path("pipe")).unwrap();
        pipe.write_all(&noise(3 << 20)).unwrap();
        if bar {
            terminal.wait_for("MiB/s");
        } else {
            std::thread::sleep(std::time::Duration::from_millis(400));
        }
        drop(pipe);
        let shown = terminal.exits(0);
        assert_eq!(shown.contains("MiB"), bar, "{shown}");
    }
}
