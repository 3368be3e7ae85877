//! The modes that XML Encryption gives its block ciphers: CBC (§5.2.2) and GCM (§5.2.4).

use aes::cipher::block_padding::{Iso10126, Pkcs7};
use aes::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, Iv,
    KeyInit,
};
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U12;
use aes_gcm::{AesGcm, Nonce, Tag};
use zeroize::Zeroizing;

use super::{Keyed, Opener};

/// CBC with the padding of XML Encryption, the key schedules of both directions prepared.
pub(super) struct Cbc<E, D> {
    encrypt: E,
    decrypt: D,
}

impl<E: KeyInit, D: KeyInit> Cbc<E, D> {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let encrypt = E::new_from_slice(key).ok()?;
        Some(Self { encrypt, decrypt: D::new_from_slice(key).ok()? })
    }
}

impl<E, D> Keyed for Cbc<E, D>
where
    E: BlockCipherEncrypt + Send + Sync,
    D: BlockCipherDecrypt + Send + Sync,
{
    fn seal(&self, iv: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let Ok(start) = <&Iv<cbc::Encryptor<&E>>>::try_from(iv) else {
            unreachable!("the caller asks iv_len")
        };
        out.extend_from_slice(iv);
        let body = out.len();
        out.extend_from_slice(plain);
        let padded = (plain.len() / iv.len() + 1) * iv.len();
        out.resize(body + padded, 0);
        let cipher = cbc::Encryptor::inner_iv_init(&self.encrypt, start);
        let done = cipher.encrypt_padded::<Pkcs7>(&mut out[body..], plain.len());
        debug_assert!(done.is_ok(), "room for the padding was made");
        Some(())
    }
}

impl<E, D> Opener for Cbc<E, D>
where
    E: Send + Sync,
    D: BlockCipherDecrypt + Send + Sync,
{
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, body) = sealed.split_at_checked(D::block_size())?;
        let iv = <&Iv<cbc::Decryptor<&D>>>::try_from(iv).ok()?;
        let mut plain = Zeroizing::new(body.to_vec());
        // xmlenc-core1 §5.2.2: only the last byte of the padding has a prescribed value.
        let len = cbc::Decryptor::inner_iv_init(&self.decrypt, iv)
            .decrypt_padded::<Iso10126>(&mut plain)
            .ok()?
            .len();
        plain.truncate(len);
        Some(plain)
    }
}

impl<C> Keyed for AesGcm<C, U12>
where
    Self: AeadInOut<NonceSize = U12, TagSize = aes_gcm::aead::consts::U16> + Send + Sync,
{
    fn seal(&self, iv: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let Ok(nonce) = <&Nonce<U12>>::try_from(iv) else { unreachable!("the caller asks iv_len") };
        out.extend_from_slice(iv);
        let body = out.len();
        out.extend_from_slice(plain);
        let tag = self.encrypt_inout_detached(nonce, b"", (&mut out[body..]).into());
        // Fails only for messages of 64 GiB.
        out.extend_from_slice(&tag.unwrap_or_default());
        Some(())
    }
}

impl<C> Opener for AesGcm<C, U12>
where
    Self: AeadInOut<NonceSize = U12, TagSize = aes_gcm::aead::consts::U16> + Send + Sync,
{
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, rest) = sealed.split_at_checked(12)?;
        let (body, tag) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
        let mut plain = Zeroizing::new(body.to_vec());
        self.decrypt_inout_detached(
            <&Nonce<U12>>::try_from(iv).ok()?,
            b"",
            plain.as_mut_slice().into(),
            <&Tag>::try_from(tag).ok()?,
        )
        .ok()?;
        Some(plain)
    }
}
