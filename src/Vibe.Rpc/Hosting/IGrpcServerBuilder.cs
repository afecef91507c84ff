using Microsoft.Extensions.DependencyInjection;

// The official package's namespace: code written for it compiles unchanged.
namespace Grpc.AspNetCore.Server;

/// <summary>Goes on configuring the RPC server.</summary>
public interface IGrpcServerBuilder
{
    /// <summary>The application's services.</summary>
    IServiceCollection Services { get; }
}

internal sealed class GrpcServerBuilder(IServiceCollection services) : IGrpcServerBuilder
{
    public IServiceCollection Services => services;
}
