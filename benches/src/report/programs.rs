//! The programs that bulla is compared with, and how each is called.

use std::process::Command;

use crate::machine::output;
use crate::scratch::{Ready, Scratch, failed};
use crate::sheet::Sheet;

/// A program that encrypts a file. In its commands, IN and OUT stand for names of files.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// What it is made of, as far as it is found in the PATH.
    pub(crate) needs: &'static [&'static str],
    /// Makes its keys.
    prepare: &'static str,
    pub(crate) seal: &'static str,
    pub(crate) open: &'static str,
    /// Sealing and opening from standard input to standard output.
    pub(crate) pipe: Option<(&'static str, &'static str)>,
    /// The ratio that is asked for.
    pub(crate) asked: Option<f64>,
}

/// Programs that encrypt a file.
pub(crate) const PROGRAMS: [Program; 6] = [
    Program {
        name: "age",
        needs: &["age", "age-keygen"],
        prepare: "age-keygen -o age.key",
        seal: "age -e -i age.key -o OUT IN",
        open: "age -d -i age.key -o OUT IN",
        pipe: Some(("age -e -i age.key", "age -d -i age.key")),
        asked: Some(1.0 / 5.0),
    },
    Program {
        name: "rage",
        needs: &["rage", "rage-keygen"],
        prepare: "rage-keygen -o rage.key",
        seal: "rage -e -i rage.key -o OUT IN",
        open: "rage -d -i rage.key -o OUT IN",
        pipe: Some(("rage -e -i rage.key", "rage -d -i rage.key")),
        asked: Some(1.0 / 6.0),
    },
    Program {
        name: "mlar",
        needs: &["mlar"],
        prepare: "mlar keygen mlar",
        seal: "mlar create --uncompressed --unsigned -p mlar.mlapub -o OUT IN",
        open: "mlar cat --skip-signature-verification -k mlar.mlapriv -i IN -o OUT plain",
        pipe: None,
        asked: Some(1.0 / 12.0),
    },
    Program {
        name: "gpg --symmetric",
        needs: &["gpg", "gpgconf"],
        prepare: "mkdir gpg && chmod 700 gpg",
        seal: "gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file pass --cipher-algo AES256 \
               --compress-algo none --s2k-count 1024 -o OUT --symmetric IN",
        open: "gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file pass -o OUT --decrypt IN",
        pipe: Some((
            "gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file pass --cipher-algo AES256 \
             --compress-algo none --s2k-count 1024 --symmetric",
            "gpg --homedir gpg --batch -q --pinentry-mode loopback --passphrase-file pass --decrypt",
        )),
        asked: None,
    },
    Program {
        name: "openssl enc (CTR, nothing authenticated)",
        needs: &["openssl"],
        prepare: "true",
        seal: "openssl enc -aes-256-ctr -pbkdf2 -pass file:pass -in IN -out OUT",
        open: "openssl enc -d -aes-256-ctr -pbkdf2 -pass file:pass -in IN -out OUT",
        pipe: Some((
            "openssl enc -aes-256-ctr -pbkdf2 -pass file:pass",
            "openssl enc -d -aes-256-ctr -pbkdf2 -pass file:pass",
        )),
        asked: None,
    },
    Program {
        name: "restic (into a new repository)",
        needs: &["restic"],
        prepare: "restic init -q -r restic.empty --no-cache --password-file pass",
        seal: "cp -r restic.empty OUT && \
               restic backup -q -r OUT --no-cache --password-file pass --compression off IN",
        open: "restic restore latest -q -r IN --no-cache --password-file pass --target OUT",
        pipe: None,
        asked: None,
    },
];

/// A program that keeps a tree of files. In its commands, ARCHIVE, OUT and NAME stand for its
/// archive, an output, an entry.
pub(crate) struct Archiver {
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [&'static str],
    prepare: &'static str,
    /// Name of its archive.
    pub(crate) archive: &'static str,
    pub(crate) backup: &'static str,
    pub(crate) restore: &'static str,
    /// Writes one entry to standard output.
    pub(crate) entry: &'static str,
    /// The ratio that is asked of the backup.
    pub(crate) asked: Option<f64>,
}

/// Programs that keep a tree of files.
pub(crate) const ARCHIVERS: [Archiver; 4] = [
    Archiver {
        name: "tar (nothing encrypted)",
        needs: &["tar"],
        prepare: "true",
        archive: "tree.tar",
        backup: "tar cf ARCHIVE tree",
        restore: "mkdir OUT && tar xf ARCHIVE -C OUT",
        entry: "tar xOf ARCHIVE NAME",
        asked: Some(0.5),
    },
    Archiver {
        name: "tar and age",
        needs: &["tar", "age", "age-keygen"],
        prepare: "age-keygen -o age.key",
        archive: "tree.tar.age",
        backup: "tar cf - tree | age -e -i age.key -o ARCHIVE",
        restore: "mkdir OUT && age -d -i age.key ARCHIVE | tar xf - -C OUT",
        entry: "age -d -i age.key ARCHIVE | tar xOf - NAME",
        asked: None,
    },
    Archiver {
        name: "mlar",
        needs: &["mlar"],
        prepare: "mlar keygen mlar",
        archive: "tree.mla",
        backup: "mlar create --uncompressed --unsigned -p mlar.mlapub -o ARCHIVE tree",
        restore: "mlar extract --skip-signature-verification -k mlar.mlapriv -i ARCHIVE -o OUT",
        entry: "mlar cat --skip-signature-verification -k mlar.mlapriv -i ARCHIVE NAME",
        asked: None,
    },
    Archiver {
        name: "restic (into a new repository)",
        needs: &["restic"],
        prepare: "restic init -q -r restic.empty --no-cache --password-file pass",
        archive: "tree.restic",
        backup: "cp -r restic.empty ARCHIVE && \
                 restic backup -q -r ARCHIVE --no-cache --password-file pass --compression off tree",
        restore: "restic restore latest -q -r ARCHIVE --no-cache --password-file pass --target OUT",
        entry: "restic dump latest -q -r ARCHIVE --no-cache --password-file pass NAME",
        asked: None,
    },
];

impl Program {
    /// Makes its keys; why not, if that cannot be done.
    pub(crate) fn prepare(&self, scratch: &Scratch) -> Ready {
        prepare(scratch, self.needs, self.prepare)
    }
}

impl Archiver {
    /// Makes its keys; why not, if that cannot be done.
    pub(crate) fn prepare(&self, scratch: &Scratch) -> Ready {
        prepare(scratch, self.needs, self.prepare)
    }
}

/// Adds the versions of all peers to what is known of the machine.
pub(crate) fn note_versions(sheet: &mut Sheet) {
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
            if installed(name) { output(name, &[flag]) } else { "not installed".to_owned() };
        sheet.machine.peer(name, version);
    }
}

/// Whether a program is found in the PATH.
pub(crate) fn installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$0\" > /dev/null", program])
        .status()
        .is_ok_and(|status| status.success())
}

fn prepare(scratch: &Scratch, needs: &[&str], script: &str) -> Ready {
    if let Some(missing) = needs.iter().find(|program| !installed(program)) {
        return Err(format!("`{missing}` is not installed"));
    }
    scratch.shell(script).map_err(|why| failed(&why))
}
