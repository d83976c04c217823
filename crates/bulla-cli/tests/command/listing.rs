//! The parsed output of `bulla list --json`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// The listed objects by path.
pub(crate) struct Listing(BTreeMap<Vec<u8>, Value>);

impl Listing {
    /// Lists the archive `name` with the key `k`.
    pub(crate) fn of(sandbox: &Sandbox, name: &str) -> Listing {
        let out = sandbox.run(&format!("list -k k --json {name}")).exits(0).out;
        Listing::new(&String::from_utf8(out).unwrap())
    }

    pub(crate) fn new(json: &str) -> Listing {
        let objects = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        Listing(objects.map(|object| (path(&object), object)).collect())
    }

    /// Returns the entry paths. Skipped files have no entries.
    pub(crate) fn paths(&self) -> Vec<String> {
        let entries = self.0.iter().filter(|(_, object)| !object["kind"].is_null());
        entries.map(|(path, _)| String::from_utf8_lossy(path).into_owned()).collect()
    }

    pub(crate) fn get(&self, path: impl AsRef<[u8]>) -> &Value {
        &self.0[path.as_ref()]
    }

    /// Returns the state flags of an entry.
    pub(crate) fn state(&self, path: impl AsRef<[u8]>) -> Vec<&str> {
        self.get(path)["state"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect()
    }

    /// Returns the paths of skipped files.
    pub(crate) fn skipped(&self) -> Vec<String> {
        let others = self.0.iter().filter(|(_, object)| object["kind"].is_null());
        others.map(|(path, _)| String::from_utf8_lossy(path).into_owned()).collect()
    }
}

fn path(object: &Value) -> Vec<u8> {
    let Some(hex) = object["name_hex"].as_str() else {
        return object["name"].as_str().unwrap().as_bytes().to_vec();
    };
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
