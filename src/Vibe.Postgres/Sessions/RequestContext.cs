using System.Text;

namespace Vibe.Postgres.Sessions;

/// <summary>
/// On whose behalf a request runs. Row policies read it through <c>vibe.me()</c>, <c>vibe.app()</c>, <c>vibe.principals()</c>,
/// <c>vibe.read_scopes()</c> and <c>vibe.write_scopes()</c>; it lives as long as one transaction. Without a context policies show public rows only.
/// </summary>
/// <remarks>Immutable; keep one per access token, since the text form of its lists is computed once.</remarks>
public sealed class RequestContext
{
    /// <summary>More principals than this make row policies slow (measured: 10 × at 200), so sign-in refuses to hand them out.</summary>
    public const int MaxPrincipals = 50;

    private const string None = "{}";

    private readonly string _principals;
    private readonly string _readScopes;
    private readonly string _writeScopes;
    private readonly string _readPrivileges;
    private readonly string _writePrivileges;

    /// <param name="me">DID of the user, or of the app acting as itself; null when signed out.</param>
    /// <param name="app">DID of the calling app; null for a first-party tool.</param>
    /// <param name="principals">Everything the caller counts as besides itself and <c>*</c>: <c>users</c>, app DID, certificates. At most 50.</param>
    /// <param name="readScopes">Collections the app may read for this user; <c>*</c> for all. Empty: none.</param>
    /// <param name="writeScopes">Collections the app may write for this user; <c>*</c> for all. Empty: none.</param>
    /// <param name="readPrivileges">Collections whose documents the caller reads as if named in their access rules. Null: none.</param>
    /// <param name="writePrivileges">Collections whose documents the caller writes as if named in their access rules. Null: none.</param>
    /// <exception cref="ArgumentException">Too many principals, or a value with a NUL character.</exception>
    public RequestContext(
        string? me, string? app, IReadOnlyList<string> principals, IReadOnlyList<string> readScopes, IReadOnlyList<string> writeScopes,
        IReadOnlyList<string>? readPrivileges = null, IReadOnlyList<string>? writePrivileges = null)
    {
        ArgumentNullException.ThrowIfNull(principals);
        if (principals.Count > MaxPrincipals)
        {
            throw new ArgumentException($"A request may have at most {MaxPrincipals} principals, not {principals.Count}.", nameof(principals));
        }
        Me = me;
        App = app;
        Principals = principals;
        ReadScopes = readScopes;
        WriteScopes = writeScopes;
        _principals = ArrayLiteral(principals);
        _readScopes = ArrayLiteral(readScopes);
        _writeScopes = ArrayLiteral(writeScopes);
        _readPrivileges = ArrayLiteral(readPrivileges ?? []);
        _writePrivileges = ArrayLiteral(writePrivileges ?? []);
    }

    /// <summary>Nobody is signed in and no app is known: public rows only.</summary>
    public static RequestContext Anonymous { get; } = new(null, null, [], ["*"], []);

    /// <summary>DID of the user, or of the app acting as itself; null when signed out.</summary>
    public string? Me { get; }

    /// <summary>DID of the calling app, or null.</summary>
    public string? App { get; }

    /// <summary>What the caller counts as besides itself and <c>*</c>.</summary>
    public IReadOnlyList<string> Principals { get; }

    /// <summary>Collections that may be read; <c>*</c> for all.</summary>
    public IReadOnlyList<string> ReadScopes { get; }

    /// <summary>Collections that may be written; <c>*</c> for all.</summary>
    public IReadOnlyList<string> WriteScopes { get; }

    /// <summary>
    /// The statement that starts every transaction of this context. One of two texts, so that they stay prepared: few callers have
    /// privileges, and the others do not pay for them. Unset values are empty strings, because that is what a setting reads as once
    /// it has been set on a connection; what a transaction sets is gone after it.
    /// </summary>
    internal Sql ToStatement() => _readPrivileges == None && _writePrivileges == None ? Usual() : $"""
        {Usual()}, set_config('vibe.read_privileges', {_readPrivileges}, true), set_config('vibe.write_privileges', {_writePrivileges}, true)
        """;

    private Sql Usual() => $"""
        select set_config('vibe.me', {Me ?? ""}, true), set_config('vibe.app', {App ?? ""}, true),
          set_config('vibe.principals', {_principals}, true), set_config('vibe.read_scopes', {_readScopes}, true),
          set_config('vibe.write_scopes', {_writeScopes}, true)
        """;

    // PostgreSQL array input syntax: every element quoted, so that commas, braces, quotes and the word NULL are plain text.
    private static string ArrayLiteral(IReadOnlyList<string> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var text = new StringBuilder("{");
        foreach (var value in values)
        {
            if (value.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException("A value of a request context contains a NUL character.", nameof(values));
            }
            text.Append(text.Length > 1 ? ",\"" : "\"");
            foreach (var character in value)
            {
                text.Append(character is '"' or '\\' ? "\\" : "").Append(character);
            }
            text.Append('"');
        }
        return text.Append('}').ToString();
    }
}
