//! What the programs of the bench share: base64url, keys that sign proofs of possession (DPoP, RFC 9449) and are
//! thrown away after a run, and what `/proc` says of the program that is measured.
use aws_lc_rs::digest::{digest, SHA256};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair, ECDSA_P256_SHA256_FIXED_SIGNING};
use std::cell::{Cell, RefCell};
use std::time::{SystemTime, UNIX_EPOCH};

/// Base64url without padding.
pub fn b64(b: &[u8]) -> String {
    const T: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut s = String::with_capacity(b.len().div_ceil(3) * 4);
    for c in b.chunks(3) {
        let n = (c[0] as u32) << 16 | (*c.get(1).unwrap_or(&0) as u32) << 8 | *c.get(2).unwrap_or(&0) as u32;
        for i in 0..=c.len() {
            s.push(T[(n >> (18 - 6 * i) & 63) as usize] as char);
        }
    }
    s
}

/// A new ES256 key, as PKCS #8.
pub fn new_key() -> Vec<u8> {
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap().as_ref().to_vec()
}

/// Whoever holds a key that tokens are bound to, and signs a fresh proof for each call.
pub struct Holder {
    key: EcdsaKeyPair,
    rng: SystemRandom,
    head: String,
    jwk: String,
    run: u64,
    count: Cell<u64>,
    nonce: RefCell<String>,
}

impl Holder {
    /// The holder of this PKCS #8 key.
    pub fn of(pkcs8: &[u8]) -> Self {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).expect("an ES256 key");
        let p = key.public_key().as_ref();
        let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, b64(&p[1..33]), b64(&p[33..]));
        let head = b64(format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#).as_bytes());
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Holder { key, rng: SystemRandom::new(), head, jwk, run: since.as_nanos() as u64, count: Cell::new(0), nonce: RefCell::default() }
    }
    /// `jkt` of tokens that are bound to the key.
    pub fn thumbprint(&self) -> String {
        b64(digest(&SHA256, self.jwk.as_bytes()).as_ref())
    }
    /// The nonce for the proofs to come; false if it is the one of before.
    pub fn use_nonce(&self, nonce: String) -> bool {
        self.nonce.replace(nonce) != *self.nonce.borrow()
    }
    /// A proof for one POST to this address with this token.
    pub fn proof(&self, url: &str, token: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.count.set(self.count.get() + 1);
        let mut said = format!(
            r#"{{"jti":"{:x}-{:x}","htm":"POST","htu":"{url}","iat":{now},"ath":"{}""#,
            self.run, self.count.get(), b64(digest(&SHA256, token.as_bytes()).as_ref())
        );
        let nonce = self.nonce.borrow();
        if !nonce.is_empty() {
            said += &format!(r#","nonce":"{nonce}""#);
        }
        said.push('}');
        let mut proof = format!("{}.{}", self.head, b64(said.as_bytes()));
        let signature = self.key.sign(&self.rng, proof.as_bytes()).unwrap();
        proof.push('.');
        proof += &b64(signature.as_ref());
        proof
    }
}

/// A process and everything that it started, by their ids.
pub fn descendants(root: i32) -> Vec<i32> {
    let mut kids: Vec<(i32, i32)> = Vec::new();
    for e in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(p) = e.file_name().to_string_lossy().parse::<i32>() else { continue };
        if let Ok(s) = std::fs::read_to_string(format!("/proc/{p}/stat")) {
            if let Some(r) = s.rfind(')') {
                if let Some(pp) = s[r + 2..].split(' ').nth(1).and_then(|x| x.parse().ok()) {
                    kids.push((p, pp));
                }
            }
        }
    }
    let mut all = vec![root];
    let mut i = 0;
    while i < all.len() {
        let p = all[i];
        all.extend(kids.iter().filter(|(c, pp)| *pp == p && !all.contains(c)).map(|x| x.0).collect::<Vec<_>>());
        i += 1;
    }
    all
}
/// What these processes have used of the CPU: user and system seconds by the clock's ticks, and the precise run time of their live
/// threads in seconds.
pub fn cpu(pids: &[i32]) -> (f64, f64, f64) {
    let hz = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    let (mut u, mut s, mut r) = (0.0, 0.0, 0.0);
    for p in pids {
        if let Ok(t) = std::fs::read_to_string(format!("/proc/{p}/stat")) {
            if let Some(i) = t.rfind(')') {
                let f: Vec<&str> = t[i + 2..].split(' ').collect();
                u += f[11].parse::<f64>().unwrap_or(0.0) / hz;
                s += f[12].parse::<f64>().unwrap_or(0.0) / hz;
            }
        }
        for e in std::fs::read_dir(format!("/proc/{p}/task")).into_iter().flatten().flatten() {
            if let Ok(t) = std::fs::read_to_string(e.path().join("schedstat")) {
                r += t.split(' ').next().and_then(|x| x.parse::<f64>().ok()).unwrap_or(0.0) / 1e9;
            }
        }
    }
    (u, s, r)
}
/// Resident and proportional KiB of these processes.
pub fn rss(pids: &[i32]) -> (u64, u64) {
    let (mut rss, mut pss) = (0, 0);
    for p in pids {
        let grab = |f: String, k: &str| -> u64 {
            std::fs::read_to_string(f).ok().and_then(|t| t.lines().find(|l| l.starts_with(k)).and_then(|l| l.split_whitespace().nth(1).and_then(|x| x.parse().ok()))).unwrap_or(0)
        };
        rss += grab(format!("/proc/{p}/status"), "VmRSS:");
        pss += grab(format!("/proc/{p}/smaps_rollup"), "Pss:");
    }
    (rss, pss)
}
/// Busy seconds of the whole machine, or of one CPU.
pub fn machine_busy(cpu: Option<usize>) -> f64 {
    let hz = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    let t = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let f: Vec<f64> = t.lines().nth(cpu.map_or(0, |c| c + 1)).unwrap_or("").split_whitespace().skip(1).filter_map(|x| x.parse().ok()).collect();
    // user nice system irq softirq steal
    [0usize, 1, 2, 5, 6, 7].iter().map(|i| f.get(*i).copied().unwrap_or(0.0)).sum::<f64>() / hz
}
