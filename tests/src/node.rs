//! `node-metrics`, over folders like the kernel's.

use std::{fs, path::Path};

use crate::process::{Process, ours, own_address};

/// A file of the kernel's, with the folders above it.
///
/// # Panics
/// When it cannot be written.
pub fn says(sys: &Path, name: &str, text: &str) {
    let path = sys.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    fs::write(path, text).expect("it can be written");
}

/// A Raspberry Pi 4 with an eMMC, as a Compute Module has.
pub fn pi(sys: &Path) {
    says(sys, "class/thermal/thermal_zone0/temp", "48686\n");
    says(sys, "class/thermal/thermal_zone0/type", "cpu-thermal\n");
    says(sys, "class/thermal/cooling_device0/type", "gpio-fan\n");
    says(sys, "devices/platform/soc/soc:firmware/get_throttled", "50005\n");
    says(sys, "block/mmcblk0/device/life_time", "0x02 0x0b\n");
    says(sys, "block/sda/device/life_time", "0x01 0x01\n");
}

/// The program, over such folders.
#[derive(Debug)]
pub struct Node {
    pub process: Process,
    pub url: String,
}

impl Node {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not listen.
    pub async fn start(sys: &Path) -> Self {
        let mut command = ours("node-metrics");
        command.env("NODE_ADDR", format!("{}:0", own_address())).env("NODE_NAME", "pi4").env("SYS_DIR", sys);
        let mut process = Process::start(command);
        let line = process.wait_for_message("listening").await;
        let url = format!("http://{}", line["node"].as_str().expect("an address"));
        Self { process, url }
    }

    /// The status and text at a path.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let answer = http.get(format!("{}{path}", self.url)).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    /// The samples, without what describes them.
    ///
    /// # Panics
    /// When there are none.
    pub async fn samples(&self) -> Vec<String> {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200, "{text}");
        text.lines().filter(|line| !line.starts_with('#')).map(ToOwned::to_owned).collect()
    }
}
