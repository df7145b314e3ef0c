using System.Security.Cryptography.X509Certificates;
using Skep.Coordination.Access;

namespace Skep.Coordination.Tests;

public sealed class Subjects_of_certificates
{
    /// <summary>What ZooKeeper 3.8 puts into the ACL of a node whose maker showed a certificate of this subject.</summary>
    [Theory]
    [InlineData(
        "3063310b3009060355040613024348310c300a06035504080c035a756731133011060355040a0c0a41636d652c20496e632e311f300b060355040b0c04626565733010060a0992268993f22c6401010c0262313110300e06035504030c0774686520626565",
        @"CN=the bee,OU=bees+UID=b1,O=Acme\, Inc.,ST=Zug,C=CH")]
    [InlineData(
        "30818431133011060a0992268993f22c64011916036f726731173015060a0992268993f22c64011916076578616d706c65311c301a060355040a0c1341202271756f74656422203c783e3b20793d7a3116301406035504030c0d4269656ec383c2ab205c202331311e301c06092a864886f70d010901160f626565406578616d706c652e6f7267",
        @"1.2.840.113549.1.9.1=#160f626565406578616d706c652e6f7267,CN=BienÃ« \\ \#1,O=A \""quoted\"" \<x\>\; y\=z,DC=example,DC=org")]
    [InlineData(
        "3058310e300c060355040a0c0523686173683119301706035504070c10206c65616420616e6420747261696c20310f300d06035504090c06486976652031310a300806035504030c0161310e300c060355040c0c05717565656e",
        @"2.5.4.12=#0c05717565656e,CN=a,STREET=Hive 1,L=\ lead and trail\ ,O=\#hash")]
    public void Are_written_as_ZooKeeper_writes_them(string name, string expected) =>
        Assert.Equal(expected, SubjectName.Of(new X500DistinguishedName(Convert.FromHexString(name))));
}
