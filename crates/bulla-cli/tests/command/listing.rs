//! What is in an archive, by `bulla list --json`, for tests of the commands that make one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// What is listed, by name.
pub(crate) struct Listing(BTreeMap<Vec<u8>, Value>);

impl Listing {
    /// Of the archive `name`, under the key `k`.
    pub(crate) fn of(sandbox: &Sandbox, name: &str) -> Listing {
        let out = sandbox.run(&format!("list -k k --json {name}")).exits(0).out;
        Listing::new(&String::from_utf8(out).unwrap())
    }

    pub(crate) fn new(json: &str) -> Listing {
        let objects = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        Listing(objects.map(|object| (name(&object), object)).collect())
    }

    /// The names, as text, of the entries: what was left out is none.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.0.iter().filter(|(_, object)| !object["kind"].is_null());
        entries.map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect()
    }

    pub(crate) fn get(&self, name: impl AsRef<[u8]>) -> &Value {
        &self.0[name.as_ref()]
    }

    /// The words for what is wrong with it.
    pub(crate) fn state(&self, name: impl AsRef<[u8]>) -> Vec<&str> {
        self.get(name)["state"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect()
    }

    /// What was left out.
    pub(crate) fn skip(&self) -> Vec<String> {
        let others = self.0.iter().filter(|(_, object)| object["kind"].is_null());
        others.map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect()
    }
}

fn name(object: &Value) -> Vec<u8> {
    let Some(hex) = object["name_hex"].as_str() else {
        return object["name"].as_str().unwrap().as_bytes().to_vec();
    };
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
