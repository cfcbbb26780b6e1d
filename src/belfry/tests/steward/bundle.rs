//! Real update bundles, made as a release makes them: `openssl` for the keys, `rauc bundle` for the file.
use std::path::{Path, PathBuf};
use std::process::Command;

/// Somebody who signs.
pub struct Signer {
    folder: tempfile::TempDir,
}

impl Signer {
    pub fn new() -> Signer {
        let signer = Signer { folder: tempfile::tempdir().expect("a machine for tests does this") };
        let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=test \
                     -addext keyUsage=digitalSignature,keyCertSign -keyout key.pem -out cert.pem";
        run(signer.folder.path(), "openssl", &words.split_whitespace().collect::<Vec<_>>());
        signer
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// A bundle with this manifest head and 40 kB of payload.
    pub fn bundle(&self, update: &str) -> Vec<u8> {
        let content = self.folder.path().join("content");
        let _ = std::fs::remove_dir_all(&content);
        std::fs::create_dir(&content).expect("a machine for tests does this");
        // Does not get smaller by packing.
        let noise: Vec<u8> = (0_u64..5_000).flat_map(|i| mixed(i).to_le_bytes()).collect();
        std::fs::write(content.join("root.img"), noise).expect("a machine for tests does this");
        let manifest =
            format!("[update]\n{update}\n[bundle]\nformat=verity\n[image.rootfs]\nfilename=root.img\n");
        std::fs::write(content.join("manifest.raucm"), manifest).expect("a machine for tests does this");
        let out = self.folder.path().join("out.raucb");
        let _ = std::fs::remove_file(&out);
        run(
            self.folder.path(),
            "rauc",
            &["bundle", "--cert=cert.pem", "--key=key.pem", "content", "out.raucb"],
        );
        std::fs::read(out).expect("a machine for tests does this")
    }
}

fn mixed(i: u64) -> u64 {
    let x = i.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB)
}

fn run(folder: &Path, program: &str, words: &[&str]) {
    let ran = Command::new(program).args(words).current_dir(folder).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program} is needed (apt install rauc openssl): {error}"));
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
}
