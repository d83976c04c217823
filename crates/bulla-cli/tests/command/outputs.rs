//! Output files: nothing is overwritten by mistake, and only regular files are replaced.

use std::fs;

use crate::sandbox::{Sandbox, noise};

#[test]
fn existing_output_is_not_changed() {
    let sandbox = Sandbox::with_container(100);
    sandbox.write("existing", b"precious");
    let names = sandbox.names();
    for args in ["seal -k k plain -o existing", "open -k k c -o existing"] {
        sandbox.run(args).exits(1).says("existing: already exists; use --force to replace it");
        assert_eq!(sandbox.read("existing"), b"precious");
    }
    assert_eq!(sandbox.names(), names);
}

#[test]
fn force_replaces_an_existing_output() {
    let sandbox = Sandbox::with_container(100);
    sandbox.write("existing", &noise(1000));
    sandbox.run("seal -k k plain -o existing --force").exits(0);
    sandbox.run("verify -k k existing").exits(0);
    sandbox.run("open -k k c -o existing -f").exits(0);
    assert_eq!(sandbox.read("existing"), sandbox.read("plain"));
}

/// With --force, the old file is kept until the new one is complete.
#[test]
fn failure_does_not_change_the_output() {
    let sandbox = Sandbox::with_container(10_000);
    sandbox.write("existing", b"precious");
    sandbox.change("c", |bytes| bytes[5000] ^= 1);
    let names = sandbox.names();
    sandbox.run("open -k k c -o existing --force").exits(4);
    assert_eq!(sandbox.read("existing"), b"precious");
    assert_eq!(sandbox.names(), names);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::Stdio;

    use super::*;
    use crate::sandbox::finish;

    fn mode(sandbox: &Sandbox, name: &str) -> u32 {
        fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn containers_follow_the_umask_and_plaintext_is_private() {
        let sandbox = Sandbox::with_container(100);
        sandbox
            .shell(r#"umask 027; "$BULLA" seal -k k plain -o a; "$BULLA" open -k k a -o b"#)
            .exits(0);
        sandbox
            .shell(r#"umask 0; "$BULLA" seal -k k plain -o c1; "$BULLA" open -k k c1 -o d"#)
            .exits(0);
        assert_eq!(
            ["a", "b", "c1", "d"].map(|name| mode(&sandbox, name)),
            [0o640, 0o600, 0o666, 0o600]
        );
    }

    #[test]
    fn replacing_keeps_the_permissions() {
        let sandbox = Sandbox::with_container(100);
        for old_mode in [0o644, 0o400] {
            sandbox.write("existing", b"old");
            fs::set_permissions(sandbox.path("existing"), fs::Permissions::from_mode(old_mode))
                .unwrap();
            sandbox.run("open -k k c -fo existing").exits(0);
            assert_eq!(mode(&sandbox, "existing"), old_mode);
            fs::remove_file(sandbox.path("existing")).unwrap();
        }
    }

    #[test]
    fn link_is_kept_and_its_target_is_replaced() {
        let sandbox = Sandbox::with_container(100);
        fs::create_dir(sandbox.path("directory")).unwrap();
        sandbox.write("directory/real", b"precious");
        symlink("directory/real", sandbox.path("link")).unwrap();
        sandbox.run("open -k k c -o link").exits(1).says("link: already exists");
        assert_eq!(sandbox.read("directory/real"), b"precious");

        sandbox.run("open -k k c -o link --force").exits(0);
        assert_eq!(fs::read_link(sandbox.path("link")).unwrap().to_str(), Some("directory/real"));
        assert_eq!(sandbox.read("directory/real"), sandbox.read("plain"));
    }

    #[test]
    fn rejects_a_dangling_link() {
        let sandbox = Sandbox::with_container(100);
        symlink("nothing", sandbox.path("link")).unwrap();
        let names = sandbox.names();
        for force in ["", "--force"] {
            sandbox
                .run(&format!("seal -k k plain -o link {force}"))
                .exits(1)
                .says("dangling symbolic link");
        }
        assert_eq!(sandbox.names(), names);
    }

    #[test]
    fn writes_to_a_device() {
        let sandbox = Sandbox::with_container(100);
        sandbox.run("seal -k k plain -o /dev/null").exits(0);
        sandbox.run("open -k k c -o /dev/null").exits(0);
        sandbox.run("open -k k c -o /dev/null --force").exits(0);
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn writes_to_a_fifo() {
        let sandbox = Sandbox::with_container(300_000);
        sandbox.shell("mkfifo pipe").exits(0);
        for (args, file) in [("open -k k c -o pipe", "plain"), ("open -fk k c -o pipe", "plain")] {
            let writer = sandbox.command(args).spawn().unwrap();
            assert!(sandbox.read("pipe") == sandbox.read(file));
            finish(writer).exits(0);
        }
        let writer = sandbox.command("seal -k k plain -o pipe").spawn().unwrap();
        let sealed = sandbox.read("pipe");
        finish(writer).exits(0);
        assert!(sandbox.run_with_input("open -k k", &sealed).exits(0).out == sandbox.read("plain"));
        assert!(fs::symlink_metadata(sandbox.path("pipe")).unwrap().file_type().is_fifo());
    }

    #[test]
    fn redirected_output_starts_at_the_current_position() {
        let sandbox = Sandbox::with_container(300_000);
        sandbox
            .shell(
                r#""$BULLA" seal -qk k plain -o - > sealed &&
                "$BULLA" open -qk k < sealed > opened"#,
            )
            .exits(0);
        assert!(sandbox.read("opened") == sandbox.read("plain"));
        let script = r#"{ echo before; "$BULLA" open -qk k c -o -; echo after; } > opened"#;
        sandbox.shell(script).exits(0);
        let expected = [b"before\n", &sandbox.read("plain")[..], b"after\n"].concat();
        assert!(sandbox.read("opened") == expected);
        sandbox
            .shell(
                r#"echo before > opened
                "$BULLA" open -qk k c -o - >> opened
                echo after >> opened"#,
            )
            .exits(0);
        assert!(sandbox.read("opened") == expected);
    }

    #[test]
    fn failure_restores_the_redirected_file() {
        let sandbox = Sandbox::with_container(300_000);
        sandbox.change("c", |bytes| bytes[250_000] ^= 1);
        for (script, left) in [
            (r#""$BULLA" open -k k c -o - > opened"#, ""),
            (r#"echo before > opened; "$BULLA" open -k k c -o - >> opened"#, "before\n"),
            (r#"exec > opened; echo before; "$BULLA" open -k k - < c"#, "before\n"),
        ] {
            sandbox.shell(script).exits(4).says("nothing was written");
            assert_eq!(sandbox.read("opened"), left.as_bytes(), "{script}");
        }
    }

    #[test]
    fn rejects_redirection_to_the_input() {
        let sandbox = Sandbox::with_container(100);
        sandbox.shell(r#""$BULLA" open -k k c -o - >> c"#).exits(2).says("the output is the input");
        sandbox.run("verify -k k c").exits(0);
    }

    /// Another process has already read the start of standard input.
    #[test]
    fn input_starts_at_the_current_position() {
        let sandbox = Sandbox::with_container(10_000);
        sandbox
            .shell(r#"{ dd bs=1000 count=1 of=/dev/null 2>&-; "$BULLA" seal -qk k -o d; } < plain"#)
            .exits(0);
        assert_eq!(sandbox.run("open -k k d -o -").exits(0).out, sandbox.read("plain")[1000..]);
        sandbox
            .shell(
                r#"{ echo 12345; cat c; } > e; { read -r _; "$BULLA" open -qk k -o opened; } < e"#,
            )
            .exits(0);
        assert_eq!(sandbox.read("opened"), sandbox.read("plain"));
    }

    #[test]
    fn accepts_the_longest_file_name() {
        let sandbox = Sandbox::with_container(100);
        let longest = "n".repeat(255);
        sandbox.run(&format!("open -k k c -o {longest}")).exits(0);
        assert_eq!(sandbox.read(&longest), sandbox.read("plain"));
        sandbox.run(&format!("open -k k c -o {longest}n")).exits(1);
    }

    #[test]
    fn accepts_non_utf_8_names() {
        use std::os::unix::ffi::OsStrExt;
        let sandbox = Sandbox::new();
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
        if fs::write(sandbox.path("").join(name), b"x").is_err() {
            return; // Some file systems accept only UTF-8 names.
        }
        let outcome: crate::sandbox::Outcome =
            sandbox.command("seal -k k").arg(name).output().unwrap().into();
        outcome.exits(0);
        assert!(sandbox.path("").join(std::ffi::OsStr::from_bytes(b"caf\xe9.bulla")).exists());
    }

    #[test]
    fn file_size_limit_leaves_no_files() {
        let sandbox = Sandbox::with_container(1 << 20);
        let names = sandbox.names();
        for args in [
            "seal -k k plain -o x",
            "seal --new-key n plain -o x",
            "open -k k c -o x",
            "seal -k k -o x < plain",
        ] {
            let outcome = sandbox.shell(&format!("ulimit -f 100; \"$BULLA\" {args}")).exits(1);
            outcome.says("x: file too large");
            assert_eq!(sandbox.names(), names);
        }
    }

    /// If memory runs out, the command may abort at any point, but any output file is complete.
    #[test]
    #[cfg(target_os = "linux")]
    fn memory_limit_leaves_a_complete_file_or_none() {
        let sandbox = Sandbox::with_container(1 << 20);
        let plain = sandbox.read("plain");
        for (args, content) in [
            ("seal -qk k plain -o x", r#""$BULLA" open -qk k x -o -"#),
            ("open -qk k c -o x", "cat x"),
        ] {
            let completes = |kib| {
                let outcome = sandbox.shell(&format!(r#"ulimit -v {kib}; "$BULLA" {args}"#));
                let exists = sandbox.path("x").exists();
                assert!(exists || outcome.code != Some(0), "{args} with {kib} KiB");
                if exists {
                    let is_complete = sandbox.shell(content).exits(0).out == plain;
                    assert!(is_complete, "{args} with {kib} KiB");
                    fs::remove_file(sandbox.path("x")).unwrap();
                }
                exists
            };
            let completed: Vec<bool> = (4_000..40_000).step_by(2_000).map(completes).collect();
            assert!(
                completed.contains(&false) && completed.contains(&true),
                "{args}: {completed:?}"
            );
        }
    }

    #[test]
    fn full_device_is_an_error() {
        let sandbox = Sandbox::with_container(1 << 20);
        for args in ["seal -k k plain -o -", "open -k k c -o -"] {
            let full = fs::OpenOptions::new().write(true).open("/dev/full");
            let Ok(full) = full else { return };
            let output = sandbox.command(args).stdout(Stdio::from(full)).output().unwrap();
            crate::sandbox::Outcome::from(output).exits(1).says("standard output: no space left");
        }
    }
}
