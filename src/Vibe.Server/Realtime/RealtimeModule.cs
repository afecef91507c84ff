using Vibe.Postgres.Sessions;
using Vibe.Realtime.V1;
using Vibe.Rpc.Rest;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Bus;
using Vibe.Server.Realtime.Channels;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;
using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Realtime;

/// <summary>Puts the realtime feature together.</summary>
internal static class RealtimeModule
{
    private const string Publication = "vibe_feed";
    private const string BusChannel = "vibe_bus";

    /// <summary>Adds the feature. Needs the database, a clock, the cursors and the documents feature.</summary>
    public static IServiceCollection AddRealtime(this IServiceCollection services)
    {
        services.AddSingleton(static provider =>
            provider.GetRequiredService<IConfiguration>().GetSection(RealtimeOptions.Section).Get<RealtimeOptions>() ?? new RealtimeOptions());
        services.AddSingleton(static provider => provider.GetRequiredService<Database>().CreateFeed(Publication));
        services.AddSingleton<FeedDatabase>();
        services.AddSingleton(static provider => new ChangeHub(provider.GetRequiredService<RealtimeOptions>()) { Watcher = provider.GetRequiredService<ChannelHub>() });
        services.AddSingleton<LogSource>();
        services.AddSingleton<PollingSource>();
        services.AddHostedService<FeedReader>();
        services.AddSingleton<ISweep, FeedSweep>();
        services.AddSingleton<CatchUpTurns>();
        services.AddSingleton<CatchUpStore>();
        services.AddSingleton<TargetStart>();
        services.AddSingleton<SubscriberServices>();
        services.AddSingleton<Subscribers>();
        services.AddSingleton<StreamAllowances>();
        services.AddSingleton<SubscriptionUpdates>();
        AddChannels(services);
        services.AddSingleton<RealtimeService>();
        services.AddSingleton(static provider => provider.GetRequiredService<FeedDatabase>().Pace);
        services.AddSingleton<RealtimeGauges>();
        services.Configure<RestOptions>(static rest => rest.EventId = static message => message is SubscribeResponse frame
            ? frame.Ready?.Cursor ?? frame.Checkpoint?.Cursor
            : null);
        return services;
    }

    private static void AddChannels(IServiceCollection services)
    {
        services.AddSingleton(static provider => provider.GetRequiredService<IConfiguration>().GetSection("Vibe:Bus").Get<BusOptions>() ?? new BusOptions());
        services.AddSingleton(static provider =>
            provider.GetRequiredService<IConfiguration>().GetSection("Vibe:Channels").Get<ChannelOptions>() ?? new ChannelOptions());
        services.AddSingleton(static provider => provider.GetRequiredService<Database>().CreateNotificationChannel(BusChannel));
        services.AddSingleton<NodeBus>();
        services.AddHostedService(static provider => provider.GetRequiredService<NodeBus>());
        services.AddSingleton<NodeCalls>();
        services.AddSingleton<ChannelHub>();
        services.AddSingleton<ChannelCalls>();
        services.AddHostedService<ChannelUpkeep>();
    }

    /// <summary>Maps the feature's service.</summary>
    public static void MapRealtime(this IEndpointRouteBuilder endpoints)
    {
        endpoints.ServiceProvider.GetRequiredService<RealtimeGauges>();
        RealtimeMeters.Zero();
        endpoints.MapGrpcService<RealtimeService>();
    }
}
