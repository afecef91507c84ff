using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Puts the documents feature together.</summary>
internal static class DocumentsModule
{
    /// <summary>
    /// Adds the feature. Needs the database, a clock and the page tokens; <see cref="DocumentOptions"/> come from
    /// <c>Vibe:Documents</c>.
    /// </summary>
    public static IServiceCollection AddDocuments(this IServiceCollection services)
    {
        services.AddSingleton(static provider =>
            provider.GetRequiredService<IConfiguration>().GetSection("Vibe:Documents").Get<DocumentOptions>() ?? new DocumentOptions());
        services.AddSingleton<DocumentStore>();
        services.AddSingleton<QueryStore>();
        services.AddSingleton<IOwnedDocuments, OwnedDocuments>();
        services.AddSingleton<SearchStore>();
        services.AddSingleton<EdgeStore>();
        services.AddSingleton<EdgeExpansion>();
        services.AddSingleton<FieldIndexStore>();
        services.AddSingleton<FieldIndexSuggestions>();
        services.AddSingleton<FieldIndexCatalog>();
        services.AddSingleton<FieldIndexBuilder>();
        services.AddSingleton<DocumentUpkeep>();
        services.AddHostedService(static provider => provider.GetRequiredService<DocumentUpkeep>());
        services.AddSingleton<ISweep, RequestSweep>();
        services.AddSingleton<DocumentPages>();
        services.AddSingleton<DocumentsService>();
        return services;
    }

    /// <summary>Maps the feature's service.</summary>
    public static void MapDocuments(this IEndpointRouteBuilder endpoints) => endpoints.MapGrpcService<DocumentsService>();
}
