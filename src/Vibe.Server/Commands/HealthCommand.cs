using System.CommandLine;

namespace Vibe.Server.Commands;

/// <summary><c>vibe health</c>: what a container's health check runs, in an image without curl.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    public static Command Create()
    {
        var url = new Option<string>("--url") { Description = "The server.", DefaultValueFactory = _ => "http://127.0.0.1:5080", HelpName = "URL" };
        var command = new Command("health", "Ask a running server whether it is ready, and end with 0 when it is, else with 1.") { url };
        command.SetAction((parsed, cancellationToken) => AskAsync(parsed.GetValue(url)!, cancellationToken));
        return command;
    }

    private static async Task<int> AskAsync(string url, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(new Uri($"{url.TrimEnd('/')}/readyz"), cancellationToken);
            Console.WriteLine(await answer.Content.ReadAsStringAsync(cancellationToken));
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or UriFormatException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Console.WriteLine($"not reached: {url}");
            return 1;
        }
    }
}
