using System.Buffers;
using System.CommandLine;
using Vibe.Documents.V1;
using Vibe.Rpc.Json;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary><c>vibe export</c>.</summary>
internal static class ExportCommand
{
    private const int PageSize = 1000;

    public static Command Create()
    {
        var collection = new Option<string>("--collection") { Description = "The collection.", Required = true, HelpName = "C" };
        var scope = new Option<DocumentScope>("--scope") { Description = "Whose documents: Own, Shared, Public, All.", DefaultValueFactory = _ => DocumentScope.Own };
        var filter = new Option<string>("--filter") { Description = "A condition, as in the API.", DefaultValueFactory = _ => "", HelpName = "TEXT" };
        var dataOnly = new Option<bool>("--data-only") { Description = "Only each document's data: what `vibe import json` takes." };
        var file = new Option<FileInfo?>("--out") { Description = "The file to write; default: standard output.", HelpName = "FILE" };
        var client = new ClientOptions();

        var command = new Command("export", "Write documents of a running server, one JSON object a line.") { collection, scope, filter, dataOnly, file };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var request = new ListDocumentsRequest
            {
                Collection = parsed.GetValue(collection)!,
                Scope = parsed.GetValue(scope),
                Filter = parsed.GetValue(filter)!,
                OrderBy = "id",
                PageSize = PageSize,
            };
            using var connection = await client.ConnectAsync(parsed, cancellationToken);
            await using var output = Open(parsed.GetValue(file));
            var count = await WriteAsync(connection, request, parsed.GetValue(dataOnly), output, cancellationToken);
            await Console.Error.WriteLineAsync($"{count:N0} documents exported.");
            return 0;
        });
        return command;
    }

    private static Stream Open(FileInfo? file)
    {
        try
        {
            return file is null ? Console.OpenStandardOutput() : file.Create();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new Refusal($"The file {file} cannot be written: {exception.Message}");
        }
    }

    private static async Task<long> WriteAsync(
        DocumentsConnection connection, ListDocumentsRequest request, bool dataOnly, Stream output, CancellationToken cancellationToken)
    {
        var codec = new JsonCodec(Contracts.PublicSchema);
        var data = Document.Descriptor.FindFieldByNumber(Document.DataFieldNumber);
        var buffer = new ArrayBufferWriter<byte>();
        long count = 0;
        do
        {
            var page = await connection.Client.ListDocumentsAsync(request, connection.Headers, cancellationToken: cancellationToken);
            buffer.ResetWrittenCount();
            foreach (var document in page.Documents)
            {
                if (dataOnly)
                {
                    codec.WriteField(document, data, buffer);
                }
                else
                {
                    codec.Write(document, buffer);
                }

                buffer.Write("\n"u8);
            }

            await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
            count += page.Documents.Count;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return count;
    }
}
