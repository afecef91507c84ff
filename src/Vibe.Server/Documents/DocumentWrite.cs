namespace Vibe.Server.Documents;

/// <summary>What a write does.</summary>
internal enum WriteKind
{
    Create,

    /// <summary>Merges or sets parts of the body.</summary>
    Update,

    /// <summary>Creates, or replaces the body.</summary>
    Upsert,

    Delete,
}

/// <summary>One write, checked and ready for the store.</summary>
internal sealed record DocumentWrite
{
    public required WriteKind Kind { get; init; }

    public required Guid Id { get; init; }

    /// <summary>Whether the id was just made, so that nothing can have it.</summary>
    public bool HasNewId { get; init; }

    /// <summary>Of create and upsert.</summary>
    public string Collection { get; init; } = "";

    /// <summary>Of create and upsert, when the document has one.</summary>
    public string? Key { get; init; }

    /// <summary>The body; for an update what to merge into it, unless <see cref="ReplacesData"/>.</summary>
    public ReadOnlyMemory<byte>? Data { get; init; }

    /// <summary>An update whose mask names <c>data</c> as a whole.</summary>
    public bool ReplacesData { get; init; }

    /// <summary>An update whose mask names paths into the body: what <c>vibe.set_fields</c> takes.</summary>
    public ReadOnlyMemory<byte>? Changes { get; init; }

    /// <summary>New access rules; null leaves them.</summary>
    public ReadOnlyMemory<byte>? Acl { get; init; }

    /// <summary>New edges; null leaves them.</summary>
    public ReadOnlyMemory<byte>? Edges { get; init; }

    /// <summary>The etag the document must have; empty for any.</summary>
    public string Etag { get; init; } = "";

    /// <summary>Whether the document must exist (true) or must not (false).</summary>
    public bool? Exists { get; init; }

    /// <summary>The place in a batch, for errors.</summary>
    public int? Index { get; init; }

    /// <summary>An upsert that never creates: it names an etag, requires existence, or an id whose key it does not know.</summary>
    public bool OnlyReplaces => Kind == WriteKind.Upsert && (Etag.Length > 0 || Exists == true || (Key is null && DocumentId.IsKeyed(Id)));

    /// <summary>The field of the request that holds the document.</summary>
    public string Field { get; init; } = "document";
}

/// <summary>What makes a call safe to repeat: its id, and a hash of everything else in it.</summary>
internal sealed record WriteRequest(Guid Id, ReadOnlyMemory<byte> Fingerprint);
