//! `node-metrics` over folders like the kernel's, of machines that are well, hot, short of voltage, worn, and none of these.

use std::{fs, time::Duration};

use tests::{
    node::{Node, pi, says},
    process::{command, file, ours, run},
    skip::{program, skip},
};

#[tokio::test]
async fn a_pi_tells_its_heat_why_it_is_held_back_and_how_worn_its_memory_is() {
    let sys = tempfile::tempdir().expect("a folder");
    pi(sys.path());
    says(sys.path(), "class/thermal/thermal_zone10/temp", "-5000");
    says(sys.path(), "class/thermal/thermal_zone2/temp", "31000");
    let node = Node::start(sys.path()).await;
    let throttled = |metric: &str, reason: &str, is: u8| {
        format!("porchlight_node_{metric}{{node=\"pi4\",reason=\"{reason}\"}} {is}")
    };
    let expected = [
        "porchlight_node_temperature_celsius{node=\"pi4\",zone=\"0\",type=\"cpu-thermal\"} 48.686".to_owned(),
        "porchlight_node_temperature_celsius{node=\"pi4\",zone=\"2\",type=\"\"} 31.0".to_owned(),
        "porchlight_node_temperature_celsius{node=\"pi4\",zone=\"10\",type=\"\"} -5.0".to_owned(),
        throttled("throttled", "under_voltage", 1),
        throttled("throttled", "frequency_capped", 0),
        throttled("throttled", "throttled", 1),
        throttled("throttled", "soft_temperature_limit", 0),
        throttled("throttled_since_boot", "under_voltage", 1),
        throttled("throttled_since_boot", "frequency_capped", 0),
        throttled("throttled_since_boot", "throttled", 1),
        throttled("throttled_since_boot", "soft_temperature_limit", 0),
        "porchlight_node_disk_life_used_ratio{node=\"pi4\",disk=\"mmcblk0\",estimate=\"a\"} 0.2".to_owned(),
        "porchlight_node_disk_life_used_ratio{node=\"pi4\",disk=\"mmcblk0\",estimate=\"b\"} 1.1".to_owned(),
        "pi_temperature{name=\"pi4\"} 48.686".to_owned(),
    ];
    assert_eq!(node.samples().await, expected);
    assert_eq!(node.get("/healthz").await.0, 200);
    assert_eq!(node.get("/").await.0, 404);
    node.process.terminate().await;
}

#[tokio::test]
async fn a_sensor_that_cannot_be_read_is_absent_from_then_on_and_never_stale() {
    let sys = tempfile::tempdir().expect("a folder");
    pi(sys.path());
    let node = Node::start(sys.path()).await;
    assert_eq!(node.samples().await.len(), 12);
    for (name, text) in [
        // What drivers say of a sensor that is off, and what is none of theirs.
        ("class/thermal/thermal_zone0/temp", "-274000\n"),
        ("class/thermal/thermal_zone0/temp", "2147483647\n"),
        ("class/thermal/thermal_zone0/temp", "warm\n"),
        ("class/thermal/thermal_zone0/temp", ""),
        ("devices/platform/soc/soc:firmware/get_throttled", "-1\n"),
        ("block/mmcblk0/device/life_time", "0x00 0x00\n"),
    ] {
        says(sys.path(), name, text);
        let samples = node.samples().await.join("\n");
        assert!(!samples.contains("celsius") && !samples.contains("pi_temperature"), "{name}: {samples}");
    }
    assert_eq!(node.samples().await, [""; 0]);
    fs::remove_file(sys.path().join("class/thermal/thermal_zone0/temp")).expect("it was there");
    assert_eq!(node.samples().await, [""; 0]);
    says(sys.path(), "class/thermal/thermal_zone0/temp", "51000");
    assert_eq!(node.samples().await.len(), 2, "and it is there again once it can be read");
}

#[tokio::test]
async fn a_pi_5_and_a_kernel_with_the_voltage_alone_are_understood() {
    let sys = tempfile::tempdir().expect("a folder");
    says(sys.path(), "devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "0x8\n");
    let node = Node::start(sys.path()).await;
    let held = "porchlight_node_throttled{node=\"pi4\",reason=\"soft_temperature_limit\"} 1";
    assert!(node.samples().await.contains(&held.to_owned()));

    let sys = tempfile::tempdir().expect("a folder");
    says(sys.path(), "class/hwmon/hwmon0/name", "cpu_thermal\n");
    says(sys.path(), "class/hwmon/hwmon1/name", "rpi_volt\n");
    says(sys.path(), "class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
    let node = Node::start(sys.path()).await;
    assert_eq!(node.samples().await, ["porchlight_node_throttled{node=\"pi4\",reason=\"under_voltage\"} 1"]);
}

/// A named pipe that nobody writes to is a driver that hangs.
#[tokio::test]
async fn a_driver_that_hangs_costs_the_values_of_a_scrape_and_neither_its_answer_nor_more_than_a_thread() {
    let Some(mkfifo) = program("mkfifo") else { return skip("a driver that hangs", "mkfifo is missing") };
    let sys = tempfile::tempdir().expect("a folder");
    pi(sys.path());
    let node = Node::start(sys.path()).await;
    let hanging = sys.path().join("class/thermal/thermal_zone0/temp");
    fs::remove_file(&hanging).expect("it was there");
    let mut made = command(mkfifo);
    made.arg(&hanging);
    assert_eq!(run(made, Duration::from_secs(10)).await.code, Some(0));
    let (first, second) = tokio::join!(node.samples(), node.samples());
    assert_eq!((first, second), (Vec::new(), Vec::new()));
    let status = fs::read_to_string(format!("/proc/{}/status", node.process.pid())).expect("it runs");
    assert!(status.contains("\nThreads:\t2\n"), "one that serves, and one that waits: {status}");
    assert_eq!(node.get("/healthz").await.0, 200);
    assert_eq!(node.samples().await, [""; 0]);
    // Once it answers, everything is there again: the thread that waited had the only turn.
    fs::write(&hanging, "40000\n").expect("somebody reads");
    fs::remove_file(&hanging).expect("it was there");
    says(sys.path(), "class/thermal/thermal_zone0/temp", "40000\n");
    assert!(node.samples().await.contains(&"pi_temperature{name=\"pi4\"} 40.0".to_owned()));
}

#[tokio::test]
async fn promtool_finds_nothing_in_its_metrics() {
    let Some(promtool) = program("promtool") else {
        return skip("promtool_finds_nothing", "promtool (Debian: prometheus) is missing");
    };
    let sys = tempfile::tempdir().expect("a folder");
    pi(sys.path());
    let node = Node::start(sys.path()).await;
    let (_, text) = node.get("/metrics").await;
    let path = file(sys.path(), "metrics.txt", &text);
    let mut check = command("sh");
    check.args(["-c", "\"$0\" check metrics < \"$1\""]).arg(promtool).arg(path);
    let ended = run(check, Duration::from_secs(20)).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""), "{text}");
}

#[tokio::test]
async fn a_check_says_what_is_found_and_a_wrong_setting_what_is_wrong() {
    let sys = tempfile::tempdir().expect("a folder");
    pi(sys.path());
    let missing = sys.path().join("nowhere");
    for (folder, name, code, said) in [
        (sys.path(), "pi4", 0, "thermal zones: 1; throttling: known; disks that tell their wear: 1"),
        (&missing, "pi4", 2, "SYS_DIR: "),
        (sys.path(), "my pi", 2, "it is a name of 1 to 253 characters without spaces"),
    ] {
        let mut check = ours("node-metrics");
        check.arg("--check").env("SYS_DIR", folder).env("NODE_NAME", name);
        let ended = run(check, Duration::from_secs(10)).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains(said), "{ended:?}");
    }
}
