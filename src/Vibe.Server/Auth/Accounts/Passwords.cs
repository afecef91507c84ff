using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Accounts;

/// <summary>
/// Hashes passwords with PBKDF2-HMAC-SHA512, 210,000 times (OWASP). That costs about 0.1 s of a processor: only so many run at
/// once, only so many wait, and one processor stays free for everything else.
/// </summary>
internal sealed class Passwords : IDisposable
{
    private const int Iterations = 210_000;
    private const int MinLength = 10;
    private const int MaxBytes = 512;
    private const int MinDistinct = 5;

    private static readonly int Slots = Math.Max(1, Environment.ProcessorCount - 1);
    private static readonly int MaxWaiting = 16 * Slots;

    // Stands for accounts that have none: the framework's form (version, PBKDF2 with HMAC-SHA512, iterations, length of the salt, salt,
    // hash), and a hash that belongs to no password.
    private static readonly string Dummy = MakeDummy();

    private readonly PasswordHasher<VibeUser> _hasher = new(Microsoft.Extensions.Options.Options.Create(new PasswordHasherOptions { IterationCount = Iterations }));
    private readonly SemaphoreSlim _slots = new(Slots);
    private int _waiting;

    /// <summary>A new password, as a person chose it.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: shorter than 10 characters, over 512 bytes, too plain, or made of the handle.</exception>
    public static string Read(string? text, string handle, string field)
    {
        var password = text ?? "";
        if (password.EnumerateRunes().Count() < MinLength || Encoding.UTF8.GetByteCount(password) > MaxBytes)
        {
            throw VibeError.InvalidField(field, $"has at least {MinLength} characters and at most {MaxBytes} bytes", "password.size");
        }

        var rest = password.Replace(handle, "", StringComparison.OrdinalIgnoreCase).ToLowerInvariant();
        return rest.Length < MinLength - 4 || rest.Distinct().Count() < MinDistinct || CommonPasswords.Contains(rest)
            ? throw VibeError.InvalidField(field, "is too easy to guess", "password.plain")
            : password;
    }

    /// <summary>What is kept of a password.</summary>
    public Task<string> HashAsync(string password, CancellationToken cancellationToken) =>
        RunAsync(() => _hasher.HashPassword(VibeUser.Nobody, password), cancellationToken);

    /// <summary>Whether the password belongs to the hash. Takes as long without a hash, and is false.</summary>
    public async Task<bool> VerifyAsync(string? hash, string? password, CancellationToken cancellationToken)
    {
        // A password nobody could have set costs what any other does.
        var typed = password is { Length: > 0 } && Encoding.UTF8.GetByteCount(password) <= MaxBytes ? password : "-";
        var isRight = await RunAsync(
            () => _hasher.VerifyHashedPassword(VibeUser.Nobody, hash ?? Dummy, typed) != PasswordVerificationResult.Failed, cancellationToken);
        return isRight && hash is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    private static string MakeDummy()
    {
        const int SaltBytes = 16;
        const int HashBytes = 32;
        var header = new byte[13];
        header[0] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(1), 2);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(5), Iterations);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(9), SaltBytes);
        return Convert.ToBase64String([.. header, .. RandomNumberGenerator.GetBytes(SaltBytes + HashBytes)]);
    }

    private async Task<T> RunAsync<T>(Func<T> hash, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw AuthErrors.TooManyAttempts(TimeSpan.FromSeconds(5));
        }

        try
        {
            await _slots.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        try
        {
            return await Task.Run(hash, CancellationToken.None);
        }
        finally
        {
            _slots.Release();
        }
    }
}

/// <summary>What people choose so often that it is guessed first, of those that are long enough to pass otherwise.</summary>
internal static class CommonPasswords
{
    private static readonly HashSet<string> Known = new(
        [
            "1234567890", "12345678910", "123456789a", "0123456789", "9876543210", "1q2w3e4r5t", "1q2w3e4r5t6y", "1qaz2wsx3edc", "qwertyuiop",
            "qwerty12345", "qwerty123456", "asdfghjkl1", "asdfghjkl123", "zxcvbnm123", "password12", "password123", "password1234", "passw0rd123",
            "iloveyou12", "iloveyou123", "letmein123", "welcome123", "welcome1234", "football123", "baseball123", "sunshine123", "princess123",
            "monkey12345", "dragon12345", "superman123", "trustno1234", "administrator", "changeme123", "abcdefghij", "abcd123456", "abc1234567",
        ],
        StringComparer.Ordinal);

    /// <summary>Whether it is one of them, in lower case.</summary>
    public static bool Contains(string password) => Known.Contains(password);
}
