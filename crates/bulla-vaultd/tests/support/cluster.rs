//! Processes: etcd members, evaluators and servers on loopback. All end with the test.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bulla_vaultd::accounts::Issuer;
use bulla_vaultd::store::{Etcd, EtcdOptions, Key, Store};

use super::online::{ISSUER, Site};

pub fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run tests/scripts/vault-cluster.sh"))
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until something is so, but not for ever.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(120), "not within 120 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A process that is killed when it is not needed any more.
pub struct Process(Option<Child>);

impl Process {
    pub fn spawn(command: &mut Command, log: &Path) -> Process {
        let log = File::options().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Process(Some(command.spawn().unwrap()))
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Seconds of processor time that it took since it was started.
    pub fn cpu(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |child| cpu(&child.id().to_string()))
    }
}

/// Seconds of processor time that a process took, by its number or `self`.
pub fn cpu(process: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The command's name may hold anything; fields are counted from behind it.
    let fields: Vec<_> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |field: usize| fields[field - 3].parse::<f64>().unwrap();
    (ticks(14) + ticks(15)) / 100.0
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An etcd cluster of five.
pub struct Members {
    directory: PathBuf,
    ports: Vec<(u16, u16)>,
    running: Vec<Option<Process>>,
}

impl Members {
    pub fn start(directory: &Path) -> Members {
        fs::create_dir_all(directory).unwrap();
        let ports: Vec<_> = (0..5).map(|_| (free_port(), free_port())).collect();
        let mut members = Members {
            directory: directory.to_owned(),
            ports,
            running: (0..5).map(|_| None).collect(),
        };
        (0..5).for_each(|member| members.start_one(member));
        members.until_healthy();
        members
    }

    pub fn endpoint(&self, member: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[member].0)
    }

    pub fn endpoints(&self) -> Vec<String> {
        (0..5).map(|member| self.endpoint(member)).collect()
    }

    pub fn data(&self, member: usize) -> PathBuf {
        self.directory.join(format!("member{member}"))
    }

    pub fn start_one(&mut self, member: usize) {
        let peer = |member: usize| format!("http://127.0.0.1:{}", self.ports[member].1);
        let all: Vec<_> = (0..5).map(|member| format!("m{member}={}", peer(member))).collect();
        let mut command = Command::new(variable("BULLA_ETCD"));
        command.args(["--name", &format!("m{member}"), "--initial-cluster", &all.join(",")]);
        command.arg("--data-dir").arg(self.data(member));
        command.args(["--listen-client-urls", &self.endpoint(member)]);
        command.args(["--advertise-client-urls", &self.endpoint(member)]);
        command.args([
            "--listen-peer-urls",
            &peer(member),
            "--initial-advertise-peer-urls",
            &peer(member),
        ]);
        command.args(["--initial-cluster-token", "bulla-test", "--log-level", "warn"]);
        let log = self.directory.join(format!("member{member}.log"));
        self.running[member] = Some(Process::spawn(&mut command, &log));
    }

    pub fn kill(&mut self, member: usize) {
        self.running[member] = None;
    }

    pub fn kill_all(&mut self) {
        (0..5).for_each(|member| self.kill(member));
    }

    /// Seconds of processor time that all of them took since they were started.
    pub fn cpu(&self) -> f64 {
        self.running.iter().flatten().map(Process::cpu).sum()
    }

    /// Keeps a copy of a member's disk. It should not run meanwhile.
    pub fn back_up(&self, member: usize) {
        copy(&self.data(member), &self.directory.join(format!("backup{member}")));
    }

    /// Puts the copy back.
    pub fn set_back(&self, member: usize) {
        fs::remove_dir_all(self.data(member)).unwrap();
        copy(&self.directory.join(format!("backup{member}")), &self.data(member));
    }

    pub fn store(&self) -> Etcd {
        Etcd::open(&EtcdOptions::new(self.endpoints())).unwrap()
    }

    pub fn until_healthy(&self) {
        let store = self.store();
        until("the cluster answers", || store.read(&[Key::Counter([0; 32])]).is_ok());
    }

    /// The member that leads.
    pub fn leader(&self) -> usize {
        let agent = super::online::agent();
        let status = |member: usize| -> Option<(String, String)> {
            let url = format!("{}/v3/maintenance/status", self.endpoint(member));
            let answer = super::online::try_call(&agent, "POST", &url, "", b"{}").ok()?;
            let said: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            Some((text(&said["header"]["member_id"])?, text(&said["leader"])?))
        };
        let leads = |member: usize| status(member).is_some_and(|(own, leader)| own == leader);
        (0..5).find(|member| leads(*member)).expect("a leader")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => _ = fs::copy(entry.path(), to.join(entry.file_name())).unwrap(),
        }
    }
}

/// A server and its evaluator, each in a process of its own. The evaluator's keys are in a token of
/// a PKCS #11 module.
pub struct Node {
    pub site: Site,
    server: Process,
    evaluator: Process,
    directory: PathBuf,
    endpoints: Vec<String>,
    /// A cluster that all evaluators share; without one, each has a file of its own.
    marks: Option<Vec<String>>,
    port: u16,
}

impl Node {
    pub fn start(
        directory: &Path,
        number: usize,
        endpoints: Vec<String>,
        marks: Option<Vec<String>>,
        issuer: &Arc<Issuer>,
    ) -> Node {
        let directory = directory.join(format!("node{number}"));
        fs::create_dir_all(&directory).unwrap();
        let tenants = serde_json::json!({ ISSUER: [base64_url(&issuer.public_key())] });
        fs::write(directory.join("tenants.json"), tenants.to_string()).unwrap();
        let port = free_port();
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let site = Site::new(
            format!("http://127.0.0.1:{port}"),
            Arc::clone(issuer),
            ISSUER,
            Arc::new(now),
        );
        let nothing = || Process(None);
        let mut node = Node {
            site,
            server: nothing(),
            evaluator: nothing(),
            directory,
            endpoints,
            marks,
            port,
        };
        node.start_evaluator();
        node.start_server();
        node
    }

    pub fn start_evaluator(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla-vaultd"));
        let hsm = format!(
            "pkcs11:{}?token={}",
            variable("BULLA_PKCS11_MODULE"),
            variable("BULLA_PKCS11_TOKEN")
        );
        command.arg("evaluator").arg("--socket").arg(self.directory.join("socket"));
        command.args([
            "--hsm",
            &hsm,
            "--pin-file",
            &variable("BULLA_PKCS11_PIN_FILE"),
            "--delays",
            "0",
        ]);
        match &self.marks {
            Some(endpoints) => {
                command.args(["--marks", "etcd", "--endpoints", &endpoints.join(",")])
            }
            None => command
                .arg("--marks")
                .arg(format!("redb:{}", self.directory.join("marks").display())),
        };
        self.evaluator = Process::spawn(&mut command, &self.directory.join("evaluator.log"));
    }

    pub fn start_server(&mut self) {
        let socket = self.directory.join("socket");
        until("the evaluator listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla-vaultd"));
        command.args(["serve", "--listen", &format!("127.0.0.1:{}", self.port)]);
        command.arg("--tenants").arg(self.directory.join("tenants.json"));
        command.arg("--audit").arg(self.directory.join("audit")).arg("--evaluator").arg(&socket);
        command.args(["--store", "etcd", "--endpoints", &self.endpoints.join(",")]);
        command.args(["--per-address", "100000", "--per-account", "100000"]);
        self.server = Process::spawn(&mut command, &self.directory.join("server.log"));
        until("the server answers", || self.site.try_health());
    }

    pub fn kill_evaluator(&mut self) {
        self.evaluator.kill();
    }

    pub fn kill_server(&mut self) {
        self.server.kill();
    }

    /// Seconds of processor time of the server, and of the evaluator with the module in it.
    pub fn cpu(&self) -> (f64, f64) {
        (self.server.cpu(), self.evaluator.cpu())
    }

    /// Distinct guesses that its evaluator has evaluated.
    pub fn evaluated(&self) -> u64 {
        self.site.figure("bulla_vault_evaluations_distinct")
    }

    /// Runs one of the operator's commands on this node's evaluator.
    pub fn operate(&self, command: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_bulla-vaultd"))
            .args([
                command,
                "--store",
                "etcd",
                "--endpoints",
                &self.endpoints.join(","),
                "--settling",
                "2",
            ])
            .arg("--evaluator")
            .arg(self.directory.join("socket"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn base64_url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
