using Vibe.Rpc.Json;

namespace Vibe;

/// <summary>The contract as the world sees it.</summary>
public static class Contracts
{
    /// <summary>
    /// The public descriptors with their comments: reflection, JSON and the OpenAPI document are made from them. The
    /// generated classes beside them are the server's wire twin.
    /// </summary>
    public static ProtoSchema PublicSchema { get; } = Load();

    private static ProtoSchema Load()
    {
        using var stream = typeof(Contracts).Assembly.GetManifestResourceStream("descriptors.binpb")
            ?? throw new InvalidOperationException("The assembly carries no descriptors.");
        return ProtoSchema.Load(stream);
    }
}
