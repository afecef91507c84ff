namespace Vibe.Server.Kernel;

/// <summary>One scope on documents: <c>documents:&lt;collection&gt;:&lt;read|write&gt;</c>.</summary>
/// <param name="Collection">The collection, or <see cref="Scopes.AnyCollection"/>.</param>
/// <param name="IsWrite">Whether it is to write, which includes to read.</param>
internal readonly record struct DocumentsScope(string Collection, bool IsWrite)
{
    /// <summary>Reads a scope; null when it is none on documents.</summary>
    public static DocumentsScope? Parse(string scope) =>
        scope.Split(':') is ["documents", var collection, "read" or "write"] parts
        && (collection == Scopes.AnyCollection || CollectionName.IsValid(collection))
            ? new DocumentsScope(collection, parts[2] == "write")
            : null;
}
