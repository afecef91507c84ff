using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Vibe.Errors.V1;
using Vibe.Server.Auth.Identity;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// Turns an access token into a <see cref="Caller"/>, remembering the answer: verifying costs 50 µs and a question to the database,
/// remembering 1 µs.
/// Keeps the token's hash, never the token, for at most <see cref="Life"/> and never past the token's end. What is revoked is
/// refused all the same: a remembered answer is checked again whenever anything was revoked since.
/// </summary>
internal sealed class CallerCache(TokenCodec tokens, RevocationSet revocations, ICallerRights rights, TimeProvider time)
{
    /// <summary>How long an answer is remembered.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(60);

    // Two generations bound the memory without a list of uses: when the young one is full it becomes the old one.
    private const int GenerationSize = 16_384;

    private ConcurrentDictionary<TokenHash, Entry> _young = new();
    private ConcurrentDictionary<TokenHash, Entry> _old = new();

    /// <summary>The caller behind the token.</summary>
    /// <exception cref="Grpc.Core.RpcException">UNAUTHENTICATED.</exception>
    public ValueTask<Caller> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > Jws.MaxBytes)
        {
            throw AuthErrors.TokenInvalid();
        }

        var hash = TokenHash.Of(token);
        var version = revocations.Version;
        var isKnown = (_young.TryGetValue(hash, out var entry) || _old.TryGetValue(hash, out entry)) && entry.ForgetTime > time.GetUtcNow();
        if (isKnown && entry.Version == version)
        {
            return ValueTask.FromResult(entry.Caller);
        }

        return isKnown && revocations.LossOf(entry.Caller) != ErrorReason.AccessChanged
            ? ValueTask.FromResult(Admit(hash, entry, version))
            : VerifyAsync(token, hash, version, cancellationToken);
    }

    // What the caller holds is asked for after the version was read: a change that comes in between is noticed at the next use.
    private async ValueTask<Caller> VerifyAsync(string token, TokenHash hash, long version, CancellationToken cancellationToken)
    {
        var claims = tokens.Verify(token);
        if (revocations.LossOf(CallerOf(claims, CallerRights.None, version)) == ErrorReason.TokenRevoked)
        {
            // Before the database is asked for nothing.
            throw AuthErrors.TokenRevoked();
        }

        var held = claims.IsVisitor
            ? CallerRights.None
            : await rights.FindAsync(claims.Subject, claims.Subject == claims.Client, cancellationToken);
        var forget = time.GetUtcNow() + Life;
        forget = claims.ExpireTime < forget ? claims.ExpireTime : forget;
        forget = held.ChangeTime < forget ? held.ChangeTime.Value : forget;
        return Admit(hash, new Entry(CallerOf(claims, held, version), forget, version), version);
    }

    private Caller Admit(TokenHash hash, Entry entry, long version)
    {
        if (revocations.LossOf(entry.Caller) == ErrorReason.TokenRevoked)
        {
            throw AuthErrors.TokenRevoked();
        }

        Remember(hash, entry with { Version = version });
        return entry.Caller;
    }

    private void Remember(TokenHash hash, Entry entry)
    {
        if (_young.Count >= GenerationSize)
        {
            _old = _young;
            _young = new();
        }

        _young[hash] = entry;
    }

    private static Caller CallerOf(AccessToken claims, CallerRights held, long version)
    {
        // An app that acts as itself is no user: what is shared with `users` is not shared with it.
        var isApp = claims.Subject == claims.Client;
        return new Caller
        {
            Did = claims.IsVisitor ? null : claims.Subject,
            App = claims.Client,
            Principals = claims.IsVisitor ? []
                : isApp ? [claims.Subject, .. held.Certificates]
                : [claims.Subject, PrincipalName.Users, .. held.Certificates],
            Privileges = held.Privileges,
            PrincipalsEndTime = held.ChangeTime,
            Scopes = Scopes.Parse(claims.Scope),
            Grant = claims.Grant,
            KeyThumbprint = claims.KeyThumbprint,
            IssueTime = claims.IssueTime,
            AccessVersion = version,
            ExpireTime = claims.ExpireTime,
        };
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Entry(Caller Caller, DateTimeOffset ForgetTime, long Version);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TokenHash(UInt128 Low, UInt128 High)
    {
        public static TokenHash Of(string token)
        {
            Span<byte> bytes = stackalloc byte[Jws.MaxBytes];
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];

            // Anything but ASCII becomes '?', which no valid token contains: it can never hit another token's entry.
            SHA256.HashData(bytes[..Encoding.ASCII.GetBytes(token, bytes)], hash);
            return MemoryMarshal.Read<TokenHash>(hash);
        }
    }
}
