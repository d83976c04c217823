//! Child processes on loopback: etcd members, evaluators and servers. All are killed when dropped.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bulla_vaultd::store::{Etcd, EtcdOptions, RecordKey, Store};
use bulla_vaultd::tokens::Issuer;

use super::server::{ISSUER, TestClient};

pub fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run tests/scripts/vault-cluster.sh"))
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Polls `condition` until it holds. Panics after two minutes.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(120), "timed out: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A child process that is killed on drop.
pub struct Process(Option<Child>);

impl Process {
    pub fn spawn(command: &mut Command, log: &Path) -> Process {
        let log = File::options().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Process(Some(command.spawn().unwrap()))
    }

    /// Sends SIGKILL and waits for the process to end.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Returns the CPU time in seconds that the process has used.
    pub fn cpu(&self) -> f64 {
        self.0.as_ref().map_or(0.0, |child| cpu(&child.id().to_string()))
    }
}

/// Returns a process's CPU time in seconds. `process` is a process ID or `self`.
pub fn cpu(process: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The command name may contain spaces and parentheses, so fields are counted after it.
    let fields: Vec<_> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |field: usize| fields[field - 3].parse::<f64>().unwrap();
    (ticks(14) + ticks(15)) / 100.0
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An etcd cluster of five members.
pub struct EtcdCluster {
    directory: PathBuf,
    ports: Vec<(u16, u16)>,
    running: Vec<Option<Process>>,
}

impl EtcdCluster {
    pub fn start(directory: &Path) -> EtcdCluster {
        fs::create_dir_all(directory).unwrap();
        let ports: Vec<_> = (0..5).map(|_| (free_port(), free_port())).collect();
        let mut members = EtcdCluster {
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

    /// Returns the CPU time in seconds that all running members have used.
    pub fn cpu(&self) -> f64 {
        self.running.iter().flatten().map(Process::cpu).sum()
    }

    /// Copies a member's data directory. The member must be stopped.
    pub fn back_up(&self, member: usize) {
        copy(&self.data(member), &self.directory.join(format!("backup{member}")));
    }

    /// Restores the copy that [`back_up`](Self::back_up) made.
    pub fn roll_back(&self, member: usize) {
        fs::remove_dir_all(self.data(member)).unwrap();
        copy(&self.directory.join(format!("backup{member}")), &self.data(member));
    }

    pub fn store(&self) -> Etcd {
        Etcd::open(&EtcdOptions::new(self.endpoints())).unwrap()
    }

    pub fn until_healthy(&self) {
        let store = self.store();
        until("etcd is healthy", || store.read(&[RecordKey::Counter([0; 32])]).is_ok());
    }

    /// Returns the leader.
    pub fn leader(&self) -> usize {
        let agent = super::server::agent();
        let status = |member: usize| -> Option<(String, String)> {
            let url = format!("{}/v3/maintenance/status", self.endpoint(member));
            let status: serde_json::Value = serde_json::from_slice(
                &super::server::try_call(&agent, "POST", &url, "", b"{}").ok()?.body,
            )
            .ok()?;
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            Some((text(&status["header"]["member_id"])?, text(&status["leader"])?))
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

/// A server and its evaluator, each in its own process. The evaluator's keys are in a PKCS #11
/// token.
pub struct Node {
    pub client: TestClient,
    server: Process,
    evaluator: Process,
    directory: PathBuf,
    endpoints: Vec<String>,
    /// The watermark cluster that all evaluators share. If `None`, each evaluator has its own file.
    watermarks: Option<Vec<String>>,
    port: u16,
}

impl Node {
    pub fn start(
        directory: &Path,
        number: usize,
        endpoints: Vec<String>,
        watermarks: Option<Vec<String>>,
        issuer: &Arc<Issuer>,
    ) -> Node {
        let directory = directory.join(format!("node{number}"));
        fs::create_dir_all(&directory).unwrap();
        let tenants = serde_json::json!({ ISSUER: [base64_url(&issuer.public_key())] });
        fs::write(directory.join("tenants.json"), tenants.to_string()).unwrap();
        let port = free_port();
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let client = TestClient::new(
            format!("http://127.0.0.1:{port}"),
            Arc::clone(issuer),
            ISSUER,
            Arc::new(now),
        );
        let nothing = || Process(None);
        let mut node = Node {
            client,
            server: nothing(),
            evaluator: nothing(),
            directory,
            endpoints,
            watermarks,
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
        match &self.watermarks {
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
        until("the server answers", || self.client.try_health());
    }

    pub fn kill_evaluator(&mut self) {
        self.evaluator.kill();
    }

    pub fn kill_server(&mut self) {
        self.server.kill();
    }

    /// Returns the CPU time in seconds of the server and of the evaluator, including its module.
    pub fn cpu(&self) -> (f64, f64) {
        (self.server.cpu(), self.evaluator.cpu())
    }

    /// Returns the number of distinct guesses that the evaluator has evaluated.
    pub fn evaluated(&self) -> u64 {
        self.client.metric("bulla_vault_evaluations_distinct")
    }

    /// Runs an operator command on this node's evaluator and returns its output.
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
