//! What a script in Python needs, by a real pip, which finds it in a folder: no package index is asked.

use std::{fs, path::Path, time::Duration};

use tests::{
    binaries::{binary, python},
    process::{Ended, command, run},
    skip::skip,
};

/// How long pip may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Makes a wheel: a package as pip installs it.
const WHEEL: &str = "
import sys, zipfile
name = 'porchlight_thing-1.0.dist-info'
with zipfile.ZipFile(sys.argv[1] + '/porchlight_thing-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('porchlight_thing.py', 'answer = 42\\n')
    wheel.writestr(name + '/METADATA', 'Metadata-Version: 2.1\\nName: porchlight-thing\\nVersion: 1.0\\n')
    wheel.writestr(name + '/WHEEL', 'Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(name + '/RECORD', '')
";

#[tokio::test]
async fn a_real_pip_installs_a_script_s_packages_once_and_what_it_cannot_find_is_named() {
    let Some(python) = python() else {
        return skip("a_real_pip_installs_a_script_s_packages_once", "TESTS_PYTHON is missing; tests/run installs it");
    };
    let place = tempfile::tempdir().expect("a folder");
    let (volume, index) = (place.path().join("volume"), place.path().join("index"));
    for folder in [&volume, &index] {
        fs::create_dir(folder).expect("the folder is ours");
    }
    let mut wheel = command(python.clone());
    wheel.args(["-c", WHEEL]).arg(&index);
    assert_eq!(run(wheel, LIMIT).await.code, Some(0));
    let provide = async |pod: &str, requirement: &str| -> (Ended, String) {
        let shared = place.path().join(pod);
        fs::create_dir(&shared).expect("the folder is ours");
        let mut runner = command(binary("check-runner"));
        runner.arg("packages").arg(&shared).arg(&volume).arg("0011").arg(&python).arg(requirement);
        runner.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", &index).env("HOME", place.path());
        let provided = run(runner, LIMIT).await;
        (provided, answer(&python, &shared.join("packages")).await)
    };
    let (first, answered) = provide("first", "porchlight-thing==1.0").await;
    assert_eq!((first.code, answered.as_str()), (Some(0), "42"), "{first:?}");
    // There is nothing left to install it from.
    fs::remove_dir_all(&index).expect("the folder is ours");
    let (second, answered) = provide("second", "porchlight-thing==1.0").await;
    assert_eq!((second.code, answered.as_str()), (Some(0), "42"), "{second:?}");
    fs::remove_dir_all(&volume).expect("the folder is ours");
    fs::create_dir(&volume).expect("the folder is ours");
    let (refused, _) = provide("third", "porchlight-thing==2.0").await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("pip could not install porchlight-thing==2.0"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(&volume).expect("the folder is ours").count(), 0);
}

/// What a script that has the packages on its path finds in one of them.
async fn answer(python: &Path, packages: &Path) -> String {
    let mut script = command(python);
    script.env("PYTHONPATH", packages).args(["-c", "import porchlight_thing; print(porchlight_thing.answer, end='')"]);
    run(script, LIMIT).await.stdout
}
