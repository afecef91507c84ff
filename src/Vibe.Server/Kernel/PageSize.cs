namespace Vibe.Server.Kernel;

/// <summary>How many items a page has.</summary>
internal static class PageSize
{
    private const int Default = 50;

    /// <summary>The size asked for: 50 when 0, never more than <paramref name="max"/>.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: negative.</exception>
    public static int Of(int asked, int max) => asked switch
    {
        < 0 => throw VibeError.InvalidField("pageSize", "is negative", "page.size"),
        0 => Default,
        _ => Math.Min(asked, max),
    };
}
