using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Vibe.Rpc.Calls;

/// <summary>What the connection says about the other side.</summary>
internal static class Peers
{
    /// <summary>The address in gRPC's form: <c>ipv4:1.2.3.4:5</c>, <c>ipv6:[::1]:5</c>, <c>unknown</c> for a socket without one.</summary>
    public static string Describe(ConnectionInfo connection) => connection.RemoteIpAddress switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetworkV6 } address =>
            string.Create(CultureInfo.InvariantCulture, $"ipv6:[{address}]:{connection.RemotePort}"),
        var address => string.Create(CultureInfo.InvariantCulture, $"ipv4:{address}:{connection.RemotePort}"),
    };

    /// <summary>The client's TLS certificate, if it showed one.</summary>
    public static AuthContext Authenticate(ConnectionInfo connection)
    {
        if (connection.ClientCertificate is not { } certificate)
        {
            return new(null, []);
        }

        const string CommonName = "x509_common_name";
        var name = certificate.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, forIssuer: false);
        return new(CommonName, new()
        {
            [CommonName] = [AuthProperty.Create(CommonName, Encoding.UTF8.GetBytes(name))],
            ["x509_pem_cert"] = [AuthProperty.Create("x509_pem_cert", Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()))],
        });
    }
}
