//! The endpoint contract of the quic-interop-runner, as far as it is the same for every Rust peer:
//! what the environment asks for, which requests share a connection, where files come from and go.
//!
//! The folders are fixed: /www, /downloads, /certs. Nothing here touches the network except the
//! name lookup, and nothing here knows a QUIC library.

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Component, Path, PathBuf};

pub const CERTIFICATE_CHAIN: &str = "/certs/cert.pem";
pub const PRIVATE_KEY: &str = "/certs/priv.key";
pub const SERVER_PORT: u16 = 443;

/// The runner takes this exit code for "this test case is not supported".
pub const EXIT_UNSUPPORTED: i32 = 127;
pub const EXIT_FAILED: i32 = 1;

pub const ALPN_HQ: &[u8] = b"hq-interop";
pub const ALPN_H3: &[u8] = b"h3";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Client,
    Server,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub host: String,
    pub port: u16,
    /// Starts with a slash, and carries the query if the URL has one.
    pub path: String,
}

impl Request {
    fn parse(url: &str) -> Result<Request, String> {
        let rest = url
            .strip_prefix("https://")
            .ok_or_else(|| format!("not an https URL: {url}"))?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => (&rest[..slash], &rest[slash..]),
            None => (rest, "/"),
        };
        let after_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority[after_host..].find(':') {
            Some(colon) => {
                let port = authority[after_host + colon + 1..]
                    .parse()
                    .map_err(|_| format!("bad port in {url}"))?;
                (&authority[..after_host + colon], port)
            }
            None => (authority, SERVER_PORT),
        };
        Ok(Request {
            host: host.trim_matches(|c| c == '[' || c == ']').to_string(),
            port,
            path: path.to_string(),
        })
    }

    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The first address the system's resolver gives.
    pub fn address(&self) -> Result<SocketAddr, String> {
        (self.host.as_str(), self.port)
            .to_socket_addrs()
            .map_err(|e| format!("{}: {e}", self.host))?
            .next()
            .ok_or_else(|| format!("{}: no address", self.host))
    }

    /// Downloads are flat: only the last part of the path names the file.
    pub fn save(&self, content: &[u8]) -> Result<(), String> {
        let name = self.path.rsplit('/').next().unwrap_or("");
        if name.is_empty() {
            return Ok(());
        }
        let target = Path::new("/downloads").join(name);
        fs::write(&target, content).map_err(|e| format!("{}: {e}", target.display()))
    }
}

#[derive(Clone, Debug)]
pub struct Contract {
    pub role: Role,
    pub test_case: String,
    pub requests: Vec<Request>,
    pub qlog_folder: Option<PathBuf>,
}

impl Contract {
    /// Ends the process when the environment cannot be served: there is nobody to return to.
    pub fn from_environment(client: &[&str], server: &[&str]) -> Contract {
        let text = |name: &str| std::env::var(name).unwrap_or_default();
        let role = match text("ROLE").as_str() {
            "client" => Role::Client,
            "server" => Role::Server,
            other => give_up(&format!("ROLE must be client or server, not \"{other}\"")),
        };
        let test_case = text("TESTCASE");
        let supported = if role == Role::Client { client } else { server };
        if !supported.contains(&test_case.as_str()) {
            eprintln!("test case \"{test_case}\" is not supported in this role");
            std::process::exit(EXIT_UNSUPPORTED);
        }
        let parsed: Result<Vec<Request>, String> =
            text("REQUESTS").split_whitespace().map(Request::parse).collect();
        let requests = parsed.unwrap_or_else(|e| give_up(&e));
        if role == Role::Client && requests.is_empty() {
            give_up("REQUESTS is empty");
        }
        let folder = text("QLOGDIR");
        Contract {
            role,
            test_case,
            requests,
            qlog_folder: (!folder.is_empty()).then(|| PathBuf::from(folder)),
        }
    }

    pub fn alpn(&self) -> &'static [u8] {
        if self.test_case == "http3" {
            ALPN_H3
        } else {
            ALPN_HQ
        }
    }

    /// The requests of each connection, in the order in which the connections are made.
    pub fn connections(&self) -> Vec<Vec<Request>> {
        match self.test_case.as_str() {
            "multiconnect" => self.requests.iter().map(|r| vec![r.clone()]).collect(),
            "resumption" | "zerortt" => {
                let (first, rest) = self.requests.split_at(1);
                vec![first.to_vec(), rest.to_vec()]
            }
            _ => vec![self.requests.clone()],
        }
    }

    /// None when the runner wants no qlog or the folder cannot be made.
    pub fn qlog_file(&self, name: &str) -> Option<PathBuf> {
        let folder = self.qlog_folder.as_ref()?;
        fs::create_dir_all(folder).ok()?;
        let role = if self.role == Role::Client { "client" } else { "server" };
        Some(folder.join(format!("{name}_{role}.sqlog")))
    }
}

/// The content for a request path, or None: no such file, or a path that leaves the folder.
pub fn file_for(path: &str) -> Option<Vec<u8>> {
    let relative = Path::new(path.trim_start_matches('/'));
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    fs::read(Path::new("/www").join(relative)).ok()
}

/// The path of an HTTP/0.9 request that has arrived completely.
pub fn requested_path(request: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(request).ok()?;
    let path = line.strip_prefix("GET ")?.trim_end_matches(['\r', '\n']);
    path.starts_with('/').then(|| path.to_string())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub fn give_up(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::exit(EXIT_FAILED)
}
