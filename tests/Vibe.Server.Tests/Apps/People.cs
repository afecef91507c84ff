using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Apps;

/// <summary>People with an account, as the console signs them in.</summary>
internal static class People
{
    private static int Count;

    /// <summary>A person with an account and a token for it.</summary>
    public static async Task<ApiUser> PersonAsync(this ApiServer server, string scope = "account")
    {
        var handle = $"person-{Interlocked.Increment(ref Count)}";
        var did = $"did:web:vibe.test:users:{handle}";
        await server.Database.Owner.ExecuteAsync($"insert into vibe.accounts (did, handle) values ({did}, {handle})", CancellationToken.None);
        return new ApiUser(server, did, server.Sign(did, scope));
    }

    /// <summary>The same person with a token for something else.</summary>
    public static ApiUser With(this ApiUser person, ApiServer server, string scope) => new(server, person.Did, server.Sign(person.Did, scope));

    /// <summary>A name nobody else has.</summary>
    public static string NewName() => $"app-{Interlocked.Increment(ref Count)}-{Guid.NewGuid():N}"[..24];
}
