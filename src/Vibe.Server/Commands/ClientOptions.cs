using System.CommandLine;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Documents.V1;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary>How a command reaches a running server: its URL, and a token given or made on the spot.</summary>
internal sealed class ClientOptions
{
    private readonly Option<string> _url = new("--url") { Description = "The server.", DefaultValueFactory = _ => "http://vibe.localhost:5080", HelpName = "URL" };
    private readonly Option<string?> _token = new("--token") { Description = "An access token; without it one is made for --user from the data directory.", HelpName = "TOKEN" };
    private readonly Option<string> _user = new("--user") { Description = "Whose documents.", DefaultValueFactory = _ => "demo", HelpName = "NAME" };
    private readonly Option<DirectoryInfo> _data = DataOption.Create();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_url);
        command.Options.Add(_token);
        command.Options.Add(_user);
        command.Options.Add(_data);
    }

    /// <summary>Connects.</summary>
    /// <exception cref="Refusal">The URL is none.</exception>
    public async Task<DocumentsConnection> ConnectAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var token = parsed.GetValue(_token);
        if (token is null)
        {
            await using var storage = await Storage.OpenAsync(parsed.GetValue(_data)!.FullName, StorageUse.Command, cancellationToken);
            var tokens = await DevelopmentTokens.OpenAsync(storage, cancellationToken);
            token = await tokens.MintAsync(parsed.GetValue(_user), app: null, "documents:*:write", TimeSpan.FromHours(12), cancellationToken);
        }

        return Uri.TryCreate(parsed.GetValue(_url), UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? DocumentsConnection.Open(url.ToString(), token)
            : throw new Refusal("--url must be an http or https URL.");
    }
}

/// <summary>A client of the documents API with its token.</summary>
internal sealed class DocumentsConnection : IDisposable
{
    private readonly GrpcChannel _channel;

    private DocumentsConnection(GrpcChannel channel, Metadata headers)
    {
        _channel = channel;
        Client = new DocumentsService.DocumentsServiceClient(channel);
        Apps = new Vibe.Apps.V1.AppsService.AppsServiceClient(channel);
        Headers = headers;
    }

    /// <summary>The API.</summary>
    public DocumentsService.DocumentsServiceClient Client { get; }

    /// <summary>The apps API.</summary>
    public Vibe.Apps.V1.AppsService.AppsServiceClient Apps { get; }

    /// <summary>Goes with every call.</summary>
    public Metadata Headers { get; }

    /// <summary>Opens a connection; nothing is sent yet.</summary>
    public static DocumentsConnection Open(string url, string token) =>
        new(GrpcChannel.ForAddress(url), new Metadata { { "authorization", $"Bearer {token}" } });

    /// <inheritdoc />
    public void Dispose() => _channel.Dispose();
}
