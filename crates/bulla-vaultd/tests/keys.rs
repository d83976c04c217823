//! Tests the HSM side of V-3.1: its OPRF keys are those that `opaque-ke` computes from the same
//! bytes, and both kinds of HSM agree.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use bulla_vault::suite::Suite;
use bulla_vaultd::hsm::{Hsm, HsmError, KeyFile};
use opaque_ke::{ServerRegistration, ServerSetup};
use support::*;

/// Reads a key from a key file.
fn key(directory: &std::path::Path, name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(directory.join("keys")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    (0..line.len() / 2)
        .map(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// With the same OPRF seed and key pair, `opaque-ke` responds to a registration exactly as the
/// vault does.
#[test]
fn one_hmac_gives_the_opaque_ke_oprf_key() {
    let directory = tempfile::tempdir().unwrap();
    let hsm = KeyFile::create(&directory.path().join("keys")).unwrap();
    let seed = key(directory.path(), "oprf ");
    let derived = hsm.derive(b"bulla v1 vault opaque key pair\0").unwrap();
    let mut scalar = derived[..32].to_vec();
    scalar[31] &= 0x0f;
    // Seed, private key, and the public key of fake records (here the base point).
    let setup = ServerSetup::<Suite>::deserialize(
        &[
            &seed[..],
            &scalar,
            &[&[
                0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00,
                0x51, 0x5f, 0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45,
                0xe0, 0x8d, 0x2d, 0x76,
            ][..]]
            .concat(),
        ]
        .concat(),
    )
    .unwrap();

    let registering = begin("password");
    let identifier = [7; 96];
    let request = opaque_ke::RegistrationRequest::deserialize(&registering.request).unwrap();
    let by_the_library =
        ServerRegistration::start(&setup, request.clone(), &identifier).unwrap().message;

    let info = setup.key_material_info(&identifier).info.concat();
    let mac = hsm.oprf(&[&info[..], &[1]].concat()).unwrap();
    let material = opaque_ke::generic_array::GenericArray::clone_from_slice(&mac[..32]);
    let by_the_hsm =
        ServerRegistration::start_with_key_material(&setup, material, request).unwrap().message;
    assert_eq!(by_the_hsm.serialize(), by_the_library.serialize());
}

#[test]
fn a_key_file_is_private_and_parsed_strictly() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let hsm = KeyFile::create(&path).unwrap();
    assert!(matches!(KeyFile::create(&path), Err(HsmError::AlreadyInitialized)));
    assert!(hsm.warning().contains("DEVELOPMENT"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(KeyFile::open(&path), Err(HsmError::Unavailable(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let again = KeyFile::open(&path).unwrap();
    assert_eq!(again.mac(b"x").unwrap(), hsm.mac(b"x").unwrap());
    assert_eq!(*again.oprf(b"x").unwrap(), *hsm.oprf(b"x").unwrap());
    assert!(matches!(KeyFile::open(&directory.path().join("none")), Err(HsmError::NotInitialized)));
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to) in
        [("counter ", "counter 0"), ("oprf", "orpf"), ("seal 1", "seal x"), ("bulla", "bull")]
    {
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        assert!(matches!(KeyFile::open(&path), Err(HsmError::Unavailable(_))), "{from}");
    }
}

/// Checks the contract for an HSM's epochs.
fn epochs(hsm: &dyn Hsm) {
    let sealed = hsm.seal(1, &[1; 12], b"ad", b"plain").unwrap();
    assert_eq!(&hsm.open(1, &[1; 12], b"ad", &sealed).unwrap()[..], b"plain");
    assert!(matches!(hsm.open(1, &[2; 12], b"ad", &sealed), Err(HsmError::NotAuthentic)));
    assert!(matches!(hsm.open(1, &[1; 12], b"da", &sealed), Err(HsmError::NotAuthentic)));
    assert!(matches!(hsm.destroy_epoch(1), Err(HsmError::LastEpoch)));
    assert_eq!(hsm.new_epoch().unwrap(), 2);
    assert_eq!(hsm.epochs().unwrap(), [1, 2]);
    assert!(matches!(hsm.open(2, &[1; 12], b"ad", &sealed), Err(HsmError::NotAuthentic)));
    hsm.destroy_epoch(1).unwrap();
    assert!(matches!(hsm.open(1, &[1; 12], b"ad", &sealed), Err(HsmError::NoSuchEpoch(1))));
    assert!(matches!(hsm.destroy_epoch(1), Err(HsmError::NoSuchEpoch(1))));
    assert_eq!(hsm.epochs().unwrap(), [2]);
}

#[test]
fn a_key_file_keeps_its_epochs() {
    let directory = tempfile::tempdir().unwrap();
    epochs(&KeyFile::create(&directory.path().join("keys")).unwrap());
    assert_eq!(KeyFile::open(&directory.path().join("keys")).unwrap().epochs().unwrap(), [2]);
}

/// Runs against SoftHSM2 in tests/scripts/vault-cluster.sh. Environment variables name the module,
/// its tokens, and the file with the PIN.
#[test]
#[ignore = "needs a PKCS #11 token: run by tests/scripts/vault-cluster.sh"]
fn a_pkcs11_module_and_a_key_file_agree() {
    use bulla_vaultd::hsm::{Pkcs11, Pkcs11Options};
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let pin = std::fs::read_to_string(variable("BULLA_PKCS11_PIN_FILE")).unwrap();
    let pin = pin.trim();
    let options = |token: &str| Pkcs11Options {
        module: variable("BULLA_PKCS11_MODULE").into(),
        token: token.to_owned(),
    };

    // This token's keys are imported from a key file. The vault refuses such a token in production,
    // because its keys have been outside the token.
    let directory = tempfile::tempdir().unwrap();
    let file = KeyFile::create(&directory.path().join("keys")).unwrap();
    let keys =
        ["counter ", "oprf ", "derivation ", "seal 1 "].map(|name| key(directory.path(), name));
    let imported = options(&variable("BULLA_PKCS11_IMPORT_TOKEN"));
    let module = Pkcs11::import(&imported, pin, &keys).unwrap();
    assert_eq!(module.mac(b"message").unwrap(), file.mac(b"message").unwrap());
    assert_eq!(*module.oprf(b"message").unwrap(), *file.oprf(b"message").unwrap());
    assert_eq!(*module.derive(b"message").unwrap(), *file.derive(b"message").unwrap());
    let sealed = module.seal(1, &[3; 12], b"ad", b"plain").unwrap();
    assert_eq!(sealed, file.seal(1, &[3; 12], b"ad", b"plain").unwrap());
    assert_eq!(
        *file.open(1, &[3; 12], b"ad", &sealed).unwrap(),
        *module.open(1, &[3; 12], b"ad", &sealed).unwrap()
    );
    drop(module);

    let own = options(&variable("BULLA_PKCS11_FRESH_TOKEN"));
    assert!(matches!(Pkcs11::open(&own, pin), Err(HsmError::NotInitialized)));
    let module = Pkcs11::create(&own, pin).unwrap();
    assert!(matches!(Pkcs11::create(&own, pin), Err(HsmError::AlreadyInitialized)));
    epochs(&module);
    let again = Pkcs11::open(&own, pin).unwrap();
    assert_eq!(again.mac(b"x").unwrap(), module.mac(b"x").unwrap());
    assert_eq!(again.epochs().unwrap(), [2]);
}
