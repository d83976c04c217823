//! The programs that bulla is compared with, and their command lines.

use std::process::Command;

use crate::measure::machine::{Machine, first_line_of};
use crate::measure::scratch::{Availability, Scratch, failed};

/// A program that encrypts a file. Its commands contain the placeholders IN and OUT.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The executables that the commands need in `PATH`.
    pub(crate) needs: &'static [&'static str],
    /// Creates the program's keys.
    prepare: &'static str,
    pub(crate) seal: &'static str,
    pub(crate) open: &'static str,
    /// The commands that seal and open from standard input to standard output.
    pub(crate) pipe: Option<(&'static str, &'static str)>,
    /// The highest ratio that meets the target.
    pub(crate) target: Option<f64>,
}

/// The programs that encrypt a file.
pub(crate) const PROGRAMS: [Program; 6] = [
    Program {
        name: "age",
        needs: &["age", "age-keygen"],
        prepare: "age-keygen -o age.key",
        seal: "age -e -i age.key -o OUT IN",
        open: "age -d -i age.key -o OUT IN",
        pipe: Some(("age -e -i age.key", "age -d -i age.key")),
        target: Some(1.0 / 5.0),
    },
    Program {
        name: "rage",
        needs: &["rage", "rage-keygen"],
        prepare: "rage-keygen -o rage.key",
        seal: "rage -e -i rage.key -o OUT IN",
        open: "rage -d -i rage.key -o OUT IN",
        pipe: Some(("rage -e -i rage.key", "rage -d -i rage.key")),
        target: Some(1.0 / 6.0),
    },
    Program {
        name: "mlar",
        needs: &["mlar"],
        prepare: "mlar keygen mlar",
        seal: "mlar create --uncompressed --unsigned -p mlar.mlapub -o OUT IN",
        open: "mlar cat --skip-signature-verification -k mlar.mlapriv -i IN -o OUT plain",
        pipe: None,
        target: Some(1.0 / 12.0),
    },
    Program {
        name: "gpg --symmetric",
        needs: &["gpg", "gpgconf"],
        prepare: "mkdir gpg && chmod 700 gpg",
        seal: "gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file pass \
               --cipher-algo AES256 --compress-algo none --s2k-count 1024 -o OUT --symmetric IN",
        open: "gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file pass \
               -o OUT --decrypt IN",
        pipe: Some((
            "gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file pass \
             --cipher-algo AES256 --compress-algo none --s2k-count 1024 --symmetric",
            "gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file pass \
             --decrypt",
        )),
        target: None,
    },
    Program {
        name: "openssl enc (CTR, unauthenticated)",
        needs: &["openssl"],
        prepare: "true",
        seal: "openssl enc -aes-256-ctr -pbkdf2 -pass file:pass -in IN -out OUT",
        open: "openssl enc -d -aes-256-ctr -pbkdf2 -pass file:pass -in IN -out OUT",
        pipe: Some((
            "openssl enc -aes-256-ctr -pbkdf2 -pass file:pass",
            "openssl enc -d -aes-256-ctr -pbkdf2 -pass file:pass",
        )),
        target: None,
    },
    Program {
        name: "restic (into a new repository)",
        needs: &["restic"],
        prepare: "restic init -q -r restic.empty --no-cache --password-file pass",
        seal: "cp -r restic.empty OUT && \
               restic backup -q -r OUT --no-cache --password-file pass --compression off IN",
        open: "restic restore latest -q -r IN --no-cache --password-file pass --target OUT",
        pipe: None,
        target: None,
    },
];

/// A program that archives a tree of files. Its commands contain the placeholders ARCHIVE, OUT and
/// ENTRY.
pub(crate) struct Archiver {
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [&'static str],
    prepare: &'static str,
    /// The file name of the archive.
    pub(crate) archive: &'static str,
    pub(crate) backup: &'static str,
    pub(crate) restore: &'static str,
    /// Writes one entry to standard output.
    pub(crate) entry: &'static str,
    /// The highest ratio that meets the target for backups.
    pub(crate) target: Option<f64>,
}

/// The programs that archive a tree of files.
pub(crate) const ARCHIVERS: [Archiver; 4] = [
    Archiver {
        name: "tar (unencrypted)",
        needs: &["tar"],
        prepare: "true",
        archive: "tree.tar",
        backup: "tar cf ARCHIVE tree",
        restore: "mkdir OUT && tar xf ARCHIVE -C OUT",
        entry: "tar xOf ARCHIVE ENTRY",
        target: Some(0.5),
    },
    Archiver {
        name: "tar + age",
        needs: &["tar", "age", "age-keygen"],
        prepare: "age-keygen -o age.key",
        archive: "tree.tar.age",
        backup: "tar cf - tree | age -e -i age.key -o ARCHIVE",
        restore: "mkdir OUT && age -d -i age.key ARCHIVE | tar xf - -C OUT",
        entry: "age -d -i age.key ARCHIVE | tar xOf - ENTRY",
        target: None,
    },
    Archiver {
        name: "mlar",
        needs: &["mlar"],
        prepare: "mlar keygen mlar",
        archive: "tree.mla",
        backup: "mlar create --uncompressed --unsigned -p mlar.mlapub -o ARCHIVE tree",
        restore: "mlar extract --skip-signature-verification -k mlar.mlapriv -i ARCHIVE -o OUT",
        entry: "mlar cat --skip-signature-verification -k mlar.mlapriv -i ARCHIVE ENTRY",
        target: None,
    },
    Archiver {
        name: "restic (into a new repository)",
        needs: &["restic"],
        prepare: "restic init -q -r restic.empty --no-cache --password-file pass",
        archive: "tree.restic",
        backup: "cp -r restic.empty ARCHIVE && \
                 restic backup -q -r ARCHIVE --no-cache --password-file pass --compression off \
                 tree",
        restore: "restic restore latest -q -r ARCHIVE --no-cache --password-file pass --target OUT",
        entry: "restic dump latest -q -r ARCHIVE --no-cache --password-file pass ENTRY",
        target: None,
    },
];

impl Program {
    /// Creates the program's keys.
    pub(crate) fn prepare(&self, scratch: &Scratch) -> Availability {
        prepare(scratch, self.needs, self.prepare)
    }
}

impl Archiver {
    /// Creates the program's keys.
    pub(crate) fn prepare(&self, scratch: &Scratch) -> Availability {
        prepare(scratch, self.needs, self.prepare)
    }
}

/// Adds the versions of all peers to the facts about the machine.
pub(crate) fn add_versions(machine: &mut Machine) {
    for (name, flag) in [
        ("cp", "--version"),
        ("tar", "--version"),
        ("age", "--version"),
        ("rage", "--version"),
        ("mlar", "--version"),
        ("gpg", "--version"),
        ("openssl", "version"),
        ("restic", "version"),
    ] {
        let version =
            if installed(name) { first_line_of(name, &[flag]) } else { "not installed".to_owned() };
        machine.add_peer(name, version);
    }
}

/// Returns whether a program is in `PATH`.
pub(crate) fn installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$0\" > /dev/null", program])
        .status()
        .is_ok_and(|status| status.success())
}

fn prepare(scratch: &Scratch, needs: &[&str], script: &str) -> Availability {
    if let Some(missing) = needs.iter().find(|program| !installed(program)) {
        return Err(format!("`{missing}` is not installed"));
    }
    scratch.shell(script).map_err(|error| failed(&error))
}
