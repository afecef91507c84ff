using System.Security.Cryptography;
using System.Text;
using Vibe.Server.Hosting;

namespace Vibe.Server.Auth;

/// <summary>
/// The one secret outside the database: it encrypts what is secret inside (AES-256-GCM) and seeds the keys that all
/// nodes must share (HKDF, RFC 5869). Every node of a deployment needs the same one.
/// </summary>
internal sealed class MasterKey
{
    private const int KeyBytes = 32;
    private readonly byte[] _key;

    private MasterKey(byte[] key) => _key = key;

    /// <summary>Reads a key of 32 bytes in base64, as <c>openssl rand -base64 32</c> makes it.</summary>
    /// <exception cref="Refusal">It is not one.</exception>
    public static MasterKey Parse(string base64)
    {
        var bytes = new byte[KeyBytes];
        return Convert.TryFromBase64String(base64.Trim(), bytes, out var length) && length == KeyBytes
            ? new MasterKey(bytes)
            : throw new Refusal("VIBE_MASTER_KEY is not 32 bytes in base64: make one with `openssl rand -base64 32`.");
    }

    /// <summary>Reads the key file of an embedded installation, making it on the first start: 0600, beside the database.</summary>
    /// <exception cref="Refusal">The file cannot be read or written.</exception>
    public static MasterKey OfDataDirectory(string directory)
    {
        var path = Path.Combine(directory, "master.key");
        try
        {
            if (!File.Exists(path))
            {
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
                if (!OperatingSystem.IsWindows())
                {
                    options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                }

                // Written aside and moved, so that a crash leaves no empty key.
                var temporary = $"{path}.{Environment.ProcessId}";
                using (var writer = new StreamWriter(temporary, options))
                {
                    writer.Write(Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)));
                }

                File.Move(temporary, path, overwrite: false);
            }

            return Parse(File.ReadAllText(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new Refusal($"The key file {path} cannot be read or written: {exception.Message}");
        }
    }

    /// <summary>A key for one purpose, the same on every node.</summary>
    public byte[] Derive(string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, KeyBytes, info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>Encrypts: nonce, tag, ciphertext.</summary>
    public byte[] Encrypt(ReadOnlySpan<byte> plaintext, string purpose)
    {
        var sealedBytes = new byte[NonceBytes + TagBytes + plaintext.Length];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(nonce, plaintext, sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes), Encoding.UTF8.GetBytes(purpose));
        return sealedBytes;
    }

    /// <summary>Decrypts what <see cref="Encrypt"/> made for the same purpose.</summary>
    /// <exception cref="Refusal">It was made with another key.</exception>
    public byte[] Decrypt(ReadOnlySpan<byte> sealedBytes, string purpose)
    {
        try
        {
            var plaintext = new byte[sealedBytes.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(_key, TagBytes);
            aes.Decrypt(sealedBytes[..NonceBytes], sealedBytes[(NonceBytes + TagBytes)..], sealedBytes.Slice(NonceBytes, TagBytes), plaintext, Encoding.UTF8.GetBytes(purpose));
            return plaintext;
        }
        catch (CryptographicException)
        {
            throw new Refusal("The master key is not the one this database was set up with: give the server the old one.");
        }
    }

    private const int NonceBytes = 12;
    private const int TagBytes = 16;
}
