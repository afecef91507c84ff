using Microsoft.Extensions.Logging;
using Vibe.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers <see cref="VibeClient"/>.</summary>
public static class VibeServiceCollectionExtensions
{
    /// <summary>
    /// One <see cref="VibeClient"/> for the application, which logs where the application does. A request that is served as its user takes
    /// <c>vibe.As(VibeCredentials.Token(…))</c>.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options.</param>
    public static IServiceCollection AddVibe(this IServiceCollection services, Action<VibeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddVibe((_, options) => configure(options));
    }

    /// <inheritdoc cref="AddVibe(IServiceCollection, Action{VibeOptions})"/>
    public static IServiceCollection AddVibe(this IServiceCollection services, Action<IServiceProvider, VibeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddSingleton(provider =>
        {
            var options = new VibeOptions();
            if (provider.GetService<ILoggerFactory>() is { } log)
            {
                options.LoggerFactory = log;
            }

            configure(provider, options);
            return new VibeClient(options);
        });
    }
}
